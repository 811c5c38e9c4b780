/** CSV of RFC 4180 that a spreadsheet opens without running anything. */

/**
 * Where a formula would begin: at a cell's start, and behind whatever a spreadsheet of another language splits at. The
 * full-width signs count as well (OWASP, "CSV Injection").
 */
const formula = /(^ {0,8}|[,;|\t\r\n] {0,8}"? {0,8})(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g
const control = /^[\t\r\0]/

/** One line with its CRLF. What a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map(cell => encodeCell(String(cell ?? ''))).join(',')}\r\n`
}

function encodeCell(text: string): string {
  const safe = (control.test(text) ? `'${text}` : text).replace(formula, "$1'")
  return /[",;|\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** CSV (RFC 4180) that a spreadsheet opens without running anything. */

/**
 * Where a formula could begin: at a cell's start, and after any separator that spreadsheets in other languages use. Full-width signs count
 * too (OWASP, "CSV Injection").
 */
const formula = /(^ {0,8}|[,;|\t\r\n] {0,8}"? {0,8})(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g
const control = /^[\t\r\0]/

/** One line with its CRLF. An apostrophe goes before anything that a spreadsheet would run as a formula. */
export function csvLine(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map(cell => encodeCell(String(cell ?? ''))).join(',')}\r\n`
}

function encodeCell(text: string): string {
  const safe = (control.test(text) ? `'${text}` : text).replace(formula, "$1'")
  return /[",;|\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

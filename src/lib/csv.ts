/** CSV of RFC 4180 that a spreadsheet opens without running anything. */

const formula = /^[=+\-@\t\r\0]/

/** One line with its CRLF. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map(cell => encodeCell(String(cell ?? ''))).join(',')}\r\n`
}

function encodeCell(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Where a formula could begin: a cell's start, or after any language's separator (OWASP, "CSV Injection"). */
const formula = /(^ {0,8}|[,;|\t\r\n] {0,8}"? {0,8})(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g
const control = /^[\t\r\0]/

/** One line (RFC 4180) with its CRLF. An apostrophe disarms what a spreadsheet would run as a formula. */
export function csvLine(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map(cell => encodeCell(String(cell ?? ''))).join(',')}\r\n`
}

function encodeCell(text: string): string {
  const safe = (control.test(text) ? `'${text}` : text).replace(formula, "$1'")
  return /[",;|\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A strict reader of RFC 4180: what a spreadsheet would read, or an error if it would have to guess. */

/** The rows of a table that ends every line with CRLF. @throws for a stray quote, line end or byte order mark. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    const [cell, end] = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at)
    row.push(cell)
    if (text[end] === ',') {
      at = end + 1
      continue
    }
    if (text.slice(end, end + 2) !== '\r\n')
      throw new Error(`no CRLF at ${end}: ${JSON.stringify(text.slice(end - 20, end + 20))}`)
    rows.push(row)
    row = []
    at = end + 2
  }
  if (row.length > 0) throw new Error('the last line has no end')
  return rows
}

function plainCell(text: string, start: number): [string, number] {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\r') {
    if (text[end] === '"' || text[end] === '\n') throw new Error(`unquoted ${JSON.stringify(text[end])} at ${end}`)
    end += 1
  }
  return [text.slice(start, end), end]
}

function quotedCell(text: string, start: number): [string, number] {
  let cell = ''
  for (let at = start + 1; ; at += 1) {
    if (at >= text.length) throw new Error(`the quote at ${start} never ends`)
    if (text[at] !== '"') cell += text[at]
    else if (text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else return [cell, at + 1]
  }
}

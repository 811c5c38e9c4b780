/** Generated lists of any length, the same every time. */

/** Address number `n`. */
export const addressOf = (n: number) => `person.${n.toString(36)}.${(n * 7919) % 1000}@larkfield.example`

/** A list of this many lines, in pieces of about 64 KB. */
export async function* linesOf(lines: number): AsyncGenerator<Buffer> {
  for (let from = 1; from <= lines; from += 1500) {
    let text = ''
    for (let n = from; n < from + 1500 && n <= lines; n++) text += `${addressOf(n)}\n`
    yield Buffer.from(text)
  }
}

/** The same as a browser uploads it. */
export async function* uploadOf(lines: number, action: 'send' | 'check', boundary: string): AsyncGenerator<Buffer> {
  yield Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="action"\r\n\r\n${action}\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="list.txt"\r\nContent-Type: text/plain\r\n\r\n`
  )
  yield* linesOf(lines)
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

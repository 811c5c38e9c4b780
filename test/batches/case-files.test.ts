/** Lists as mail programs, spreadsheets and people save them, with the expected outcome of every line. */
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { judgeLine, organizationDomains } from '../../src/batches/recipient.ts'
import { readLines } from '../../src/lib/text/text-lines.ts'

const organization = organizationDomains(['larkfield.example'])
const folder = path.join(import.meta.dirname, '../cases')

/** Each line in short: "local" is invited, "? local" is malformed with that address as its suggestion, "?" has none. */
async function judged(name: string): Promise<string[]> {
  const lines: string[] = []
  for await (const some of readLines(fs.createReadStream(path.join(folder, name)))) {
    for (const { text, tooLong } of some) {
      const { verdict, address, suggestion } = judgeLine(text, organization, tooLong)
      const meant = (address ?? suggestion)?.replace(/@larkfield\.example$/, '') ?? ''
      lines.push(verdict === null ? meant : `? ${meant}`.trim())
    }
  }
  return lines
}

const numbered = (letter: string, count: number) =>
  Array.from({ length: count }, (_, index) => `? ${letter}${index + 1}`)

const lists: Record<string, string[]> = {
  'address-then-name.txt': numbered('d', 4),
  'concatenated-boms.txt': ['a1', 'a2', 'a3', 'a4'],
  'ctrl-z.txt': ['n1', 'n2'],
  'excel-unicode-text.txt': ['?', '? c1', '? c2'],
  'hyphens.txt': ['? l1', '? anne-marie', '? anne-marie'],
  'ldif-vcard.txt': numbered('j', 5),
  'leading-apostrophe.txt': numbered('e', 5),
  'obfuscated.txt': numbered('k', 10),
  'outlook-last-first.txt': ['?'],
  'outlook-mailto.txt': numbered('h', 4),
  'plus-minus.txt': ['+tag', '-dash', '=eq'],
  'trailing-nbsp.txt': ['b1', 'b2', 'b3']
}

for (const [name, expected] of Object.entries(lists)) {
  t.test(`${name}: addresses are invited, and near addresses get a suggested correction`, async t => {
    t.strictSame(await judged(name), expected)
  })
}

const refused: Record<string, RegExp> = {
  'html.txt': /web page \(HTML\)\. Save the list as plain text/,
  'rtf.txt': /Rich Text.* Save the list as plain text/,
  'utf32.txt': /UTF-32\. Save it again with the encoding UTF-8/,
  'windows-1252.txt': /^Line 2 .*Windows-1252.*Save As with the encoding UTF-8/,
  'xz.txt': /an xz archive\. Unpack it/
}

for (const [name, says] of Object.entries(refused)) {
  t.test(`E21: ${name} is refused as a whole, with what to do`, async t => {
    await t.rejects(judged(name), says)
  })
}

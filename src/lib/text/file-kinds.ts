/** Recognizes files that are not plain lists by their first bytes (as registered with IANA). */

const save = 'Save the list as plain text (.txt), one address per line, and upload that.'
const archive = (name: string) => `This is ${name} archive. Unpack it and upload the .txt file that is in it.`
const document = (name: string) => `This is ${name}. ${save}`
const copied = (name: string) => `This is ${name}. Copy the addresses into a .txt file, one per line, and upload that.`

export const refusals = {
  name: `The file’s name does not end in .txt. ${save}`,
  empty: 'The file is empty. Put one address on each line and upload it again.',
  gzip: archive('a gzip'),
  zip: `This looks like an Excel, Word, OpenDocument, Pages, Numbers or zip file. ${save}`,
  bzip2: archive('a bzip2'),
  xz: archive('an xz'),
  zstd: archive('a Zstandard'),
  lz4: archive('an LZ4'),
  compress: archive('a compress (.Z)'),
  '7z': archive('a 7-Zip'),
  rar: archive('a RAR'),
  tar: archive('a tar'),
  cab: archive('a cabinet'),
  ole: `This is an older Excel, Word or Outlook file. ${save}`,
  pdf: document('a PDF'),
  rtf: document('a Rich Text document (RTF), as TextEdit and WordPad save it'),
  html: document('a web page (HTML)'),
  xml: document('an XML file'),
  postscript: document('a PostScript file'),
  sqlite: document('an SQLite database'),
  access: document('an Access database'),
  plist: document('an Apple property list'),
  json: copied('a JSON file'),
  vcard: copied('a contacts or calendar file (vCard, iCalendar)'),
  ldif: copied('an LDIF export of a directory'),
  mail: copied('a saved email or mailbox'),
  pst: 'This is an Outlook data file. Export the contacts from Outlook as text, one address per line, and upload that.',
  key: `This is a key, a certificate or an encrypted message. ${save}`,
  shortcut: 'This is a shortcut to a file, not the file itself. Upload the .txt file it points to.',
  'mac-metadata':
    'This is a file that macOS adds next to another one (its name begins with “._”). Upload the other file.',
  picture: copied('a picture'),
  media: `This is a sound or video file. ${save}`,
  program: `This is a program. ${save}`,
  'utf-32': 'The file is saved as UTF-32. Save it again with the encoding UTF-8, and upload that.',
  'utf-7': 'The file is saved as UTF-7. Save it again with the encoding UTF-8, and upload that.',
  nul: `The file holds NUL characters, so it is not plain text. ${save}`,
  'not-utf-8':
    'This is not valid UTF-8, but probably Windows-1252 (“ANSI”), Latin-1 or Mac Roman. Open the file in a text editor, select Save As with the encoding UTF-8, and upload that.',
  'not-utf-16': 'The file is damaged: it is not valid UTF-16. Save it again with the encoding UTF-8, and upload that.'
} satisfies Record<string, string>

export type FileRefusal = keyof typeof refusals

type Signature = readonly [refusal: FileRefusal, start: string, at?: number]

const signatures: readonly Signature[] = [
  ['gzip', '\x1f\x8b'],
  ['zip', 'PK\x03\x04'],
  ['zip', 'PK\x05\x06'],
  ['zip', 'PK\x07\x08'],
  ['ole', '\xd0\xcf\x11\xe0'],
  ['pdf', '%PDF-'],
  ['xz', '\xfd7zXZ\0'],
  ['bzip2', '1AY&SY', 4],
  ['bzip2', '\x17\x72\x45\x38\x50\x90', 4],
  ['zstd', '\x28\xb5\x2f\xfd'],
  ['lz4', '\x04\x22\x4d\x18'],
  ['compress', '\x1f\x9d'],
  ['7z', '7z\xbc\xaf\x27\x1c'],
  ['rar', 'Rar!\x1a\x07'],
  ['tar', 'ustar', 257],
  ['cab', 'MSCF\0'],
  ['sqlite', 'SQLite format 3\0'],
  ['access', '\0\x01\0\0Standard '],
  ['pst', '!BDN'],
  ['plist', 'bplist0'],
  ['shortcut', 'L\0\0\0\x01\x14\x02\0'],
  ['mac-metadata', '\0\x05\x16\x07'],
  ['picture', '\x89PNG'],
  ['picture', '\xff\xd8\xff'],
  ['picture', 'GIF8'],
  ['picture', 'II*\0'],
  ['picture', 'MM\0*'],
  ['picture', 'WEBP', 8],
  ['picture', '8BPS\0'],
  ['picture', '\0\0\x01\0'],
  ['media', 'ID3\x03'],
  ['media', 'ID3\x04'],
  ['media', 'WAVE', 8],
  ['media', 'AVI ', 8],
  ['media', 'OggS\0'],
  ['media', '\x1aE\xdf\xa3'],
  ['program', '\x7fELF'],
  ['program', 'MZ\x90\0'],
  ['program', '\xca\xfe\xba\xbe'],
  ['program', '\xcf\xfa\xed\xfe'],
  ['program', '\0asm'],
  ['utf-32', '\xff\xfe\0\0'],
  ['utf-32', '\0\0\xfe\xff'],
  ['utf-7', '+/v8'],
  ['utf-7', '+/v9']
]

export function kindByBytes(head: Buffer): FileRefusal | undefined {
  const text = head.toString('latin1')
  const found = signatures.find(([, start, at = 0]) => text.startsWith(start, at))
  if (found) return found[0]
  if (/^....ftyp(?:heic|mif1|avif)/s.test(text)) return 'picture'
  if (/^\0\0..ftyp/s.test(text)) return 'media'
  if (text.startsWith('BM') && text.slice(6, 10) === '\0\0\0\0') return 'picture'
  // a letter in four bytes: three of each four are 0
  return /^(?:[^\0]\0\0\0){2}|^(?:\0\0\0[^\0]){2}|^(?:[^\0]\0\0\0|\0\0\0[^\0])$/s.test(text) ? 'utf-32' : undefined
}

const headers = 'Received|Return-Path|Message-ID|MIME-Version|Delivered-To|DKIM-Signature|Content-Type|Date|Subject'

const beginnings: readonly [FileRefusal, RegExp][] = [
  ['rtf', /^\{\\rtf/],
  [
    'html',
    /^<(?:!doctype\s+html|!--|\/?(?:html|head|body|table|meta|div|p|ul|ol|style|script|title|span|font|center)[\s>])/i
  ],
  ['html', /^\s{0,100}<html[\s>]/im],
  ['xml', /^<\?xml|^<!doctype|^<[a-z][\w:.-]{0,100}(?:\s[^<>@]{0,900})?>\s{0,100}<[a-z!?]/i],
  ['postscript', /^%!/],
  ['json', /^(?:\{\s{0,100}"|\[\s{0,100}["{[])/],
  ['vcard', /^BEGIN:V(?:CARD|CALENDAR)/i],
  ['ldif', /^(?:#[^\n]{0,200}\n\s?)*(?:version: ?1\s{1,4}(?:#[^\n]{0,200}\n\s?)*)?dn::? ?\S/i],
  ['key', /^-----BEGIN /],
  ['shortcut', /^\[(?:InternetShortcut|Desktop Entry)\]/i]
]
const mailHead = new RegExp(
  `^(?:From \\S|(?:${headers}|From|To|Cc|Reply-To|X-[\\w-]{1,60}|ARC-[\\w-]{1,60}): ?\\S)`,
  'i'
)
const mailHeader = new RegExp(`^(?:${headers}): ?\\S`, 'gim')

export function kindByText(head: string): FileRefusal | undefined {
  const found = beginnings.find(([, pattern]) => pattern.test(head))
  if (found) return found[0]
  const isMail = mailHead.test(head) && new Set(head.match(mailHeader)?.map(each => each.toLowerCase())).size > 1
  return isMail ? 'mail' : undefined
}

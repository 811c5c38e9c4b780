import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../src/lib/email-address.ts'

const meant = 'ada@larkfield.example'
const faults: Record<string, string[]> = {
  blank: ['', ' ', '\u200b'],
  invisible: ['ada\u0000@larkfield.example', 'ada@larkfield.example\r\nben@larkfield.example', 'ada\u0085x@a'],
  'no-at': ['ada', 'ada.larkfield.example', 'ada larkfield.example', 'e-mail,name'],
  several: ['a@b, c@d', 'a@b c@d', 'a@b;c@d', 'Ada <a@b>, Ben <c@d>'],
  'display-name': ['Ada <not an address@x>', 'Ada <ada@[::1]>'],
  'encoded-word': ['=?utf-8?q?ada?=@larkfield.example'],
  comment: ['ada(@larkfield.example'],
  table: ['ada,ben"@larkfield.example', '"ada,ben"@larkfield.example'],
  quotes: ['"ada lovelace"@larkfield.example', 'a"d"a@larkfield.example'],
  'two-ats': ['a@b@larkfield.example', 'ada@larkfield@example', '<evil@evil.test>ada@larkfield.example'],
  'blank-inside': ['ada b@larkfield.example', 'ada@larkfield example', 'Ada Lovelace ada@larkfield.example'],
  'no-local': ['@larkfield.example'],
  'no-domain': ['ada@'],
  'ip-address': ['ada@[192.0.2.1]', 'ada@[IPv6:::1]', 'ada@192.0.2.1', 'ada@1'],
  'long-local': [`${'a'.repeat(65)}@larkfield.example`],
  'too-long': [`a@${'b.'.repeat(126)}c`, 'x'.repeat(1025)],
  'bad-domain': ['a@-b.c', 'a@b-.c', 'a@b_c.d', 'a@b.c/d', 'a@b.c:25', `a@${'b'.repeat(64)}.c`, 'a@b.123'],
  'bad-character': [
    'a:b@larkfield.example',
    '\ufffd@larkfield.example',
    'a\\b@larkfield.example',
    'ada\ud800@a.example'
  ]
}

for (const [fault, texts] of Object.entries(faults)) {
  t.test(`it names the fault "${fault}" and repairs nothing that is not plain`, async t => {
    for (const text of texts) t.strictSame(parseAddress(text), { fault }, JSON.stringify(text).slice(0, 60))
  })
}

const repairs: Record<string, string[]> = {
  invisible: ['ada\u200b@larkfield.example', 'ada@lark\u00adfield.example', 'a\u202eda@larkfield.example'],
  mailto: [`mailto:${meant}`, `MAILTO:${meant}?subject=Hello`],
  'no-at': ['ada＠larkfield.example'],
  'display-name': [`Ada <${meant}>`, `<${meant}>`, `"Ada, the first" <${meant}>,`, `=?utf-8?q?Ada?= <${meant}>`],
  'no-closing-bracket': [`Ada <${meant}`, `“Ada” <${meant}`, `<${meant}`],
  'no-opening-bracket': [`${meant}>`],
  comment: [`${meant} (Ada)`, `(Ada) ${meant}`],
  table: [
    `Ada,${meant},Berlin`,
    `Ada;${meant}`,
    `Ada\t${meant}`,
    `${meant},`,
    `"Ada","${meant}"`,
    'ada@larkfield,example'
  ],
  quotes: [`"${meant}"`, `'${meant}'`, `“${meant}”`, '"ada"@larkfield.example'],
  'two-ats': ['ada@@larkfield.example'],
  'blank-inside': ['ada @larkfield.example', 'ada@ larkfield.example', 'ada @ larkfield.example'],
  'two-dots': ['ada@larkfield..example'],
  'trailing-dot': [`${meant}.`],
  'edge-dot': [`.${meant}`, 'ada.@larkfield.example', 'ada@.larkfield.example']
}

for (const [fault, texts] of Object.entries(repairs)) {
  t.test(`it names the fault "${fault}" and gives the address that was plainly meant`, async t => {
    for (const text of texts) {
      const repair = text.includes(',example') ? 'ada@larkfield' : meant
      t.strictSame(parseAddress(text), { fault, repair }, JSON.stringify(text))
    }
  })
}

t.test('a bent apostrophe and a long hyphen become those of the keyboard', async t => {
  t.match(parseAddress('o’hara@larkfield.example'), { fault: 'bad-character', repair: "o'hara@larkfield.example" })
  t.match(parseAddress('ada–x@larkfield.example'), { fault: 'bad-character', repair: 'ada-x@larkfield.example' })
})

t.test('a repair is an address itself', async t => {
  const sign = fc.constantFrom(...'ab.@<>()",;: \'\t', 'mailto:', meant, 'ü', '\u200b', '’')
  const property = fc.property(fc.array(sign, { maxLength: 10 }), signs => {
    const parsed = parseAddress(signs.join(''))
    if (!('fault' in parsed) || parsed.repair === undefined) return true
    const again = parseAddress(parsed.repair)
    return 'address' in again && again.address === parsed.repair
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})

t.test('S28: no repeat of anything and no line of a megabyte makes it slow', async t => {
  const units = [
    '@',
    '.',
    'a.',
    'a@',
    '<',
    '>',
    '(',
    '"',
    ' ',
    ',',
    '=?',
    'a-',
    '-',
    '\t',
    'ü.',
    '\u200b',
    'e\u0301',
    'ﷺ',
    "'",
    '1.',
    '['
  ]
  for (const unit of units) {
    for (const start of ['', 'a@', '"', '<', 'mailto:']) {
      for (const end of ['', '@', '>', '!']) {
        const line = start + unit.repeat(1024).slice(0, 1015) + end
        t.ok('fault' in parseAddress(line) || line.trim().length <= 254)
        t.match(parseAddress(start + `a${unit}`.repeat(500_000) + end), { fault: 'too-long' })
      }
    }
  }
})

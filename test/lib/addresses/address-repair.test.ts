import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../../src/lib/addresses/email-address.ts'

const meant = 'ada@larkfield.example'
const faults: Record<string, string[]> = {
  blank: ['', ' ', '\u200b'],
  invisible: ['ada\u0000@larkfield.example', 'ada@larkfield.example\r\nben@larkfield.example', 'ada\u0085x@a'],
  'no-at': ['ada', 'ada.larkfield.example', 'ada larkfield.example', 'e-mail,name'],
  several: ['a@b, c@d', 'a@b c@d', 'a@b;c@d', 'Ada <a@b>, Ben <c@d>', '<evil@evil.test>ada@larkfield.example'],
  'display-name': ['Ada <not an address@x>', 'Ada <ada@[::1]>'],
  'encoded-word': ['=?utf-8?q?ada?=@larkfield.example'],
  comment: ['ada(@larkfield.example'],
  table: ['ada,ben"@larkfield.example', '"ada,ben"@larkfield.example'],
  quotes: ['"ada lovelace"@larkfield.example', 'a"d"a@larkfield.example'],
  'two-ats': ['a@b@larkfield.example', 'ada@larkfield@example'],
  'blank-inside': ['ada b@larkfield.example', 'ada@larkfield example', 'Ada Lovelace@larkfield.example'],
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
  t.test(`it names the fault "${fault}" and suggests nothing that is not obvious`, async t => {
    for (const text of texts) t.strictSame(parseAddress(text), { fault }, JSON.stringify(text).slice(0, 60))
  })
}

const repairs: Record<string, string[]> = {
  invisible: ['ada\u200b@larkfield.example', 'ada@lark\u00adfield.example', 'a\u202eda@larkfield.example'],
  mailto: [`mailto:${meant}`, `MAILTO:${meant}?subject=Hello`],
  wide: ['ada＠larkfield.example', 'ａｄａ@larkfield.example', 'ada@larkfield。example', 'ada@larkfield．example'],
  'no-at': ['ada at larkfield.example', 'ada (at) larkfield (dot) example', 'ada%40larkfield.example'],
  label: [
    `mail: ${meant}`,
    `EMAIL;TYPE=INTERNET:${meant}`,
    `item1.EMAIL;type=INTERNET;type=pref:${meant}`,
    'mail:: YWRhQGxhcmtmaWVsZC5leGFtcGxl',
    `SMTP:${meant}`,
    `smtp:${meant}`,
    `proxyAddresses: SMTP:${meant}`,
    `E-Mail: <${meant}>`,
    `To: Ada <${meant}>`,
    `Ada: ${meant}`,
    `"email": "${meant}",`
  ],
  twice: [
    `Ada <${meant}<mailto:${meant}>>`,
    `${meant} <mailto:${meant}>`,
    `[${meant}](mailto:${meant}?subject=Hi)`,
    `'${meant}' <${meant}>`,
    `<a href="mailto:${meant}">${meant}</a>`,
    `Seven,${meant},ADA@larkfield.example,invite,,,sent`
  ],
  markup: [
    `<p>${meant}</p>`,
    `${meant}<br>`,
    `<a href="mailto:${meant}">Ada</a><br>`,
    `[Ada](mailto:${meant})`,
    `&lt;${meant}&gt;`,
    'ada&#64;larkfield.example'
  ],
  'display-name': [
    `Ada Lovelace (work) <<${meant}>>`,
    `Doe, Jane <${meant}>`,
    `<'${meant}'>`,
    `<mailto:${meant}>`,
    `[${meant}]`,
    `(${meant})`,
    `('${meant}'),`,
    `Ada <${meant}>`,
    `<${meant}>`,
    `"Ada, the first" <${meant}>,`,
    `=?utf-8?q?Ada?= <${meant}>`
  ],
  'no-closing-bracket': [`Ada <${meant}`, `“Ada” <${meant}`, `<${meant}`],
  'no-opening-bracket': [`${meant}>`],
  comment: [`${meant} (Ada)`, `(Ada) ${meant}`, `Ada Lovelace (${meant})`],
  table: [
    `Ada,${meant},Berlin`,
    `Ada;${meant}`,
    `Ada\t${meant}`,
    `${meant},`,
    `"Ada","${meant}"`,
    'ada@larkfield,example',
    `${meant} "Lovelace, Ada"`,
    `"Lovelace, ""Countess"" Ada"\t"${meant}"\t"London, UK"`,
    `Ada Lovelace|${meant}|London`,
    `Lovelace, Ada ${meant}`,
    `;${meant}`,
    `,,${meant},,`
  ],
  quotes: [
    `'${meant}`,
    `${meant}'`,
    `‘${meant}`,
    `''${meant}''`,
    `"'${meant}"`,
    `="${meant}"`,
    `\`${meant}\``,
    `„${meant}“`,
    `"Ada Lovelace" ${meant}`,
    `${meant} "Ada"`,
    `"${meant}"`,
    `'${meant}'`,
    `“${meant}”`,
    '"ada"@larkfield.example'
  ],
  'two-ats': ['ada@@larkfield.example', `@${meant}`, `${meant}@`],
  'blank-inside': [
    'ada @larkfield.example',
    'ada@ larkfield.example',
    'ada @ larkfield . example',
    `${meant} Ada Lovelace`,
    `Ada Lovelace ${meant}`,
    `ada ${meant}`,
    `1. ${meant}`,
    `12 ${meant}`,
    `- ${meant}`,
    `王小明 ${meant}`,
    `${meant} # comment`
  ],
  'bad-domain': [`${meant}:`, `${meant}!`, `${meant}/`, `${meant}?subject=Hi`],
  'two-dots': ['ada@larkfield..example'],
  'trailing-dot': [`${meant}.`],
  'edge-dot': [`.${meant}`, 'ada.@larkfield.example', 'ada@.larkfield.example']
}

for (const [fault, texts] of Object.entries(repairs)) {
  t.test(`it names the fault "${fault}" and suggests the obvious address`, async t => {
    for (const text of texts) {
      t.strictSame(parseAddress(text), { fault, repair: meant }, JSON.stringify(text))
    }
  })
}

t.test('a part of an address is never mistaken for the text beside it', async t => {
  const texts = ['ada,lovelace@larkfield.example', 'Ada,Lovelace@larkfield.example', 'Ada Lovelace@larkfield.example']
  for (const text of [...texts, '"ada,b"c@larkfield.example', '"Ada Lovelace"@larkfield.example']) {
    t.notOk((parseAddress(text) as { repair?: string }).repair, text)
  }
})

t.test('E20: a spreadsheet’s mark is not data, but an apostrophe within a name is', async t => {
  for (const local of ["o'brien", "o'", '+tag', '-dash', '=eq']) {
    t.match(parseAddress(`${local}@larkfield.example`), { local })
    t.match(parseAddress(`'${local}@larkfield.example`), { fault: 'quotes', repair: `${local}@larkfield.example` })
  }
})

t.test('a typographic apostrophe and a long hyphen become those of the keyboard', async t => {
  t.match(parseAddress('o’hara@larkfield.example'), { fault: 'bad-character', repair: "o'hara@larkfield.example" })
  t.match(parseAddress('ada@lark–field.example'), { fault: 'bad-domain', repair: 'ada@lark-field.example' })
  t.match(parseAddress('ada–x@larkfield.example'), { fault: 'bad-character', repair: 'ada-x@larkfield.example' })
})

t.test('a suggested address is itself valid', async t => {
  const sign = fc.constantFrom(...'ab.@<>()[]|",;:= \'\t', 'mailto:', meant, 'ü', '\u200b', '’', ' at ', 'mail::', '＠')
  const property = fc.property(fc.array(sign, { maxLength: 10 }), signs => {
    const parsed = parseAddress(signs.join(''))
    if (!('fault' in parsed) || parsed.repair === undefined) return true
    const again = parseAddress(parsed.repair)
    return 'address' in again && again.address === parsed.repair
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})

t.test('S28: neither repetition nor a line of a megabyte makes it slow', async t => {
  const units = [
    ' at ',
    'mail::',
    '<a ',
    '&lt;',
    '(mailto:',
    '""',
    'x@y ',
    '；',
    '|',
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

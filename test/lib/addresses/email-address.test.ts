import fc from 'fast-check'
import t from 'tap'
import { canonicalDomain, parseAddress } from '../../../src/lib/addresses/email-address.ts'

const read = (text: string) => {
  const parsed = parseAddress(text)
  return 'fault' in parsed ? undefined : parsed
}

const locals = [
  'a',
  'ada',
  'ada.l',
  'a.b.c',
  'ada+list',
  "o'hara",
  '-x',
  '_',
  '{a|b}~',
  '1',
  'a=b',
  'x/y',
  'ADA',
  'a'.repeat(64)
]
const utf8Locals = ['jürgen', 'δοκιμή', '用户', 'пользователь', 'उपयोगकर्ता', 'a.é', '😀', 'ü'.repeat(32)]
const domains = [
  'larkfield.example',
  'a',
  'a-b.c--d.example',
  '1.example',
  '4u.example',
  'xn--bcher-kva.example',
  'b.c.d.e.f'
]

t.test('an address is kept as typed, with the domain in lower case', async t => {
  for (const local of [...locals, ...utf8Locals]) {
    for (const domain of [...domains, 'LarkField.EXAMPLE', `${'a'.repeat(63)}.example`]) {
      const ascii = domain.toLowerCase()
      const expected = { address: `${local}@${ascii}`, key: `${local.toLowerCase()}@${ascii}`, local, domain: ascii }
      t.strictSame(parseAddress(`${local}@${domain}`), expected)
    }
  }
})

t.test('the same address in another spelling has the same key', async t => {
  const spellings = ['jürgen@bücher.example', 'JÜRGEN@BÜCHER.example', 'ju\u0308rgen@bu\u0308cher.example']
  for (const spelling of [...spellings, ' jürgen@xn--bcher-kva.example\u200b', '\ufeffjürgen@bücher.example\t']) {
    t.equal(read(spelling)?.key, 'jürgen@xn--bcher-kva.example')
  }
  t.equal(read('JÜRGEN@bücher.example')?.address, 'JÜRGEN@xn--bcher-kva.example')
})

t.test('the length limit of an address counts octets', async t => {
  const local = 'a'.repeat(64)
  const domain = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`
  t.ok(read(`${local}@${domain}`))
  t.match(parseAddress(`${local}@${domain}e`), { fault: 'too-long' })
  t.match(parseAddress(`${'ü'.repeat(33)}@a.example`), { fault: 'long-local' })
  t.match(parseAddress(`a@${'a'.repeat(64)}.example`), { fault: 'bad-domain' })
  t.match(parseAddress(`${'a'.repeat(1025)}`), { fault: 'too-long' })
})

t.test('S9: a text that is read as an address is that mailbox and no other', async t => {
  const sign = fc.constantFrom(
    ...'aZ0.@<>()[]",;: %!\\/=?_-\r\n\t\0\u00ad\u200b\u202eü＠ﬁ。',
    'evil@evil.test',
    'xn--',
    '=?',
    ' to:'
  )
  const hostile = fc.array(sign, { maxLength: 12 }).map(signs => signs.join(''))
  const around = fc.tuple(hostile, fc.constantFrom('', 'ada@larkfield.example'), hostile).map(parts => parts.join(''))
  const property = fc.property(around, text => {
    const parsed = read(text)
    if (!parsed) return true
    if (!/^[!-~]+@[^@]+$/.test(parsed.address) && !/[^\0-\x7f]/.test(text)) return false
    const typed = text.replace(/^[\s\u00ad\u200b\u202e]+|[\s\u00ad\u200b\u202e]+$/g, '').normalize('NFC')
    const at = typed.indexOf('@')
    const isSameLocal = parsed.local === typed.slice(0, at)
    const isSameDomain = typed.slice(at + 1).toLowerCase() === parsed.domain || /[^\0-\x7f]/.test(typed.slice(at + 1))
    return isSameLocal && isSameDomain && typed.indexOf('@', at + 1) < 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 10_000 }))
})

t.test('S9: forms that made libraries send to another person are not addresses', async t => {
  const evil = 'evil@evil.test'
  const forms = [
    `ada@corp.test;${evil}`,
    `${evil},ada@corp.test`,
    `<${evil}>ada@corp.test`,
    `ada@corp.test\r\nRCPT TO:<${evil}>`,
    `ada@corp.test\nBcc: ${evil}`,
    '@evil.test:ada@corp.test',
    `"${evil}"@corp.test`,
    `"${evil} x"@corp.test`,
    `${evil} <ada@corp.test>`,
    `ada@corp.test (${evil})`,
    `(${evil})ada@corp.test`,
    `ada@corp.test\0${evil}`,
    'ada@corp.test\u0000.evil.test',
    '=?utf-8?q?evil=40evil.test=3e?=@corp.test',
    'ada@corp.test/evil.test',
    'ada@ü/evil.test',
    'ada@ü%2eevil.test',
    'ada@corp.test#evil.test',
    'ada@corp\u00ad.test',
    'ada@bü\u200bcher.test',
    'ada@lark\ufe0ffield.example',
    'a\u3164da@larkfield.example',
    'ada@[127.0.0.1]',
    'ada@１２７.１',
    'ada\ud800@corp.test',
    'list: ada@corp.test;'
  ]
  for (const form of forms) t.equal(read(form), undefined, JSON.stringify(form))
})

t.test('reading a key gives the same key', async t => {
  const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  const property = fc.property(local, text => {
    const key = read(`${text}@larkfield.example`)?.key
    return key === undefined || Buffer.byteLength(key) > 80 || read(key)?.key === key
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})

t.test('a domain is compared in lower case and ASCII form', async t => {
  t.equal(canonicalDomain(' BÜCHER.example '), 'xn--bcher-kva.example')
  t.equal(canonicalDomain('Larkfield.Example'), 'larkfield.example')
  t.equal(canonicalDomain('intranet'), 'intranet')
  const wrong = [
    '',
    ' ',
    'a b',
    '@a',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a_b',
    '1.2.3.4',
    '12',
    'http://a',
    'a:25',
    'a/b',
    'ü%41',
    '*.a'
  ]
  for (const text of [...wrong, 'ü'.repeat(300), 'a'.repeat(2_000_000)]) t.equal(canonicalDomain(text), undefined)
})

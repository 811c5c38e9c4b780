import { domainToASCII } from 'node:url'
import t from 'tap'
import { readable, readableDomain } from '../../../src/lib/addresses/readable-domain.ts'
import { searchText, spellingsOf } from '../../../src/lib/search-text.ts'

t.test('E24: an internationalized domain is shown in readable form', async t => {
  const names = ['müller.example', 'mail.müller.example', 'straße.example', 'łódź.example', 'ısparta.example']
  for (const name of [
    ...names,
    'москва.example',
    'ελλάδα.example',
    '東京タワー.example',
    '한국.example',
    'مثال.example'
  ])
    t.equal(readableDomain(domainToASCII(name)), name)
  t.equal(
    readable('Write to jo@xn--mller-kva.example, or Jo <jo@xn--mller-kva.example>.'),
    'Write to jo@müller.example, or Jo <jo@müller.example>.'
  )
  t.equal(readable('xn--mller-kva.example is not one'), 'müller.example is not one')
})

t.test('E24: a name that looks like another, or cannot be converted back, keeps its ASCII form', async t => {
  // Cyrillic "apple", a Cyrillic а before Latin letters, Greek and Latin, only look-alikes, broken names
  const names = ['аррӏе.example', 'аpple.example', 'pαypal.example', 'осах.example', 'larkfıeld東.example']
  for (const name of names.map(domainToASCII)) t.equal(readableDomain(name), name)
  for (const name of ['xn--.example', 'xn--a.example', 'xn--80.example', 'xn--mller-kva\u200b.example'])
    t.equal(readableDomain(name), name)
})

t.test('addresses in links do not change', async t => {
  for (const text of ['/people?after=jo%40xn--mller-kva.example', 'https://xn--mller-kva.example/'])
    t.equal(readable(text), text)
  const long = 'xn--a.'.repeat(20_000)
  t.equal(readable(long).length > 0, true, 'and a long text takes no time')
})

t.test('E24: a search is compared in NFC, without invisible characters, and in both spellings', async t => {
  t.equal(searchText(' mu\u0308\u200bller '), 'müller')
  t.equal(searchText(undefined), '')
  t.strictSame(spellingsOf('müller'), ['müller', 'mu\u0308ller', 'xn--mller-kva'])
  t.strictSame(spellingsOf('jo@MÜLLER.ex'), ['jo@MÜLLER.ex', 'jo@MU\u0308LLER.ex', 'jo@xn--mller-kva.ex'])
  t.strictSame(spellingsOf('xn--mller-kva'), ['xn--mller-kva', 'müller'])
  t.strictSame(spellingsOf('Jörg Müller'), ['Jörg Müller', 'Jo\u0308rg Mu\u0308ller'])
  t.strictSame(spellingsOf('100%_'), ['100%_'])
})

import fc from 'fast-check'
import t from 'tap'
import { splitAddresses, withoutName } from '../../../src/lib/addresses/split-addresses.ts'

t.test('a field with several addresses is split; one address with an error stays whole', async t => {
  t.strictSame(splitAddresses('a@b, c@d;e@f\r\n g@h  i@j,,'), ['a@b', 'c@d', 'e@f', 'g@h', 'i@j'])
  t.strictSame(splitAddresses('Ada <a@b>, Ben <c@d>'), ['Ada <a@b>', 'Ben <c@d>'])
  t.strictSame(splitAddresses(' ada b@c '), ['ada b@c'])
  t.strictSame(splitAddresses('nobody'), ['nobody'])
  t.strictSame(splitAddresses('nobody, a@b'), ['nobody, a@b'])
  t.strictSame(splitAddresses('a@b\nnobody'), ['a@b', 'nobody'])
})

t.test('E19: a comma in quotation marks or before "Name <…>" does not split', async t => {
  const taken: [string, string[]][] = [
    ['Doe, Jane <a@b>; Roe, Rick <c@d>', ['Doe, Jane <a@b>', 'Roe, Rick <c@d>']],
    ['Doe, Jane <a@b>, Roe, Rick <c@d>', ['Doe, Jane <a@b>', 'Roe, Rick <c@d>']],
    ['"Doe, Jane" <a@b>, "Roe, Rick" <c@d>', ['"Doe, Jane" <a@b>', '"Roe, Rick" <c@d>']],
    ['Doe, Jane <a@b>, c@d', ['Doe, Jane <a@b>', 'c@d']],
    ['c@d, Doe, Jane, PhD <a@b>', ['c@d', 'Doe, Jane, PhD <a@b>']],
    ['"Doe; Jane" <a@b>; c@d', ['"Doe; Jane" <a@b>', 'c@d']],
    ['Doe, Jane <a@b>\nRoe, Rick <c@d>', ['Doe, Jane <a@b>', 'Roe, Rick <c@d>']],
    ['"Doe, Jane" <a@b>', ['"Doe, Jane" <a@b>']],
    ['"Doe, Jane <a@b>\nc@d', ['"Doe, Jane <a@b>', 'c@d']],
    ['a@b Jane Doe; c@d Rick Roe', ['a@b Jane Doe', 'c@d Rick Roe']]
  ]
  for (const [text, expected] of taken) t.strictSame(splitAddresses(text), expected, text)
})

t.test('E22: a blank part does not count', async t => {
  for (const text of ['a@b;', ';a@b', 'a@b,,', ' , a@b ; ', 'a@b\u00a0;\u200b', '\ufeffa@b\r\n;'])
    t.strictSame(splitAddresses(text), ['a@b'])
  for (const text of ['', ' \u200b\n ', ';', ',,;\n;', '\u00a0;\u001a']) t.strictSame(splitAddresses(text), [])
})

t.test('a name beside an address in brackets is dropped, but never an address', async t => {
  for (const text of ['Ada <a@b>', '"Last, First" <a@b>', '<a@b>', 'Ada<a@b>']) t.equal(withoutName(text), 'a@b')
  for (const text of ['a@b', 'x@y <a@b>', '"x@y" <a@b>', 'Ada <a@b> <c@d>', 'Ada <a@b', 'Ada <a b@c>', '<a@b>c'])
    t.equal(withoutName(text), text)
})

t.test('nothing is lost or made up, and 64 kB take no noticeable time', async t => {
  const sign = fc.constantFrom(...'a@<>",; \n\r\t', 'a@b', 'Doe, Jane <a@b>', '\u00a0')
  const solid = (text: string) => text.replace(/[\s,;\u00a0]/g, '')
  const property = fc.property(fc.array(sign, { maxLength: 30 }), signs => {
    const parts = splitAddresses(signs.join(''))
    return solid(parts.join('')) === solid(signs.join('')) && parts.every(part => solid(part) !== '')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }))
  for (const unit of ['"', ',', ';', '<', '@', 'a@b ', 'a,', '" ', '\n'])
    splitAddresses(unit.repeat(64_000 / unit.length))
})

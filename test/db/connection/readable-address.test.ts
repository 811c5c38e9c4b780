/** The database's conversion of internationalized domains, compared with Node's. */
import { domainToASCII, domainToUnicode } from 'node:url'
import t from 'tap'
import { cloneDatabase } from '../../support/database.ts'

const { db, drop } = await cloneDatabase()
t.teardown(drop)

const readIt = async (address: string): Promise<string | null> => {
  const [row] = await db.$client`select readable_address(${address}) as read`
  return row!.read
}

t.test('a domain in ASCII form is read as Node reads it', async t => {
  const names = [
    'müller.example',
    'bücher.grün.example',
    '例え.テスト',
    'ελληνικά.gr',
    'россия.рф',
    'مثال.إختبار',
    'straße.example'
  ]
  names.push(
    'faß.example',
    'a-ü-b.example',
    '𠮷野家.example',
    'ü.example',
    'ab--é.example',
    'ไทย.example',
    'ünïcödé-lång-nåmé-thät-is-löng.example'
  )
  for (const name of names) {
    const ascii = domainToASCII(name)
    t.match(ascii, 'xn--')
    t.equal(await readIt(`jo@${ascii}`), `jo@${domainToUnicode(ascii)}`)
  }
})

t.test('a plain domain gives null, and an unreadable one stays as it is', async t => {
  t.equal(await readIt('jo@larkfield.example'), null)
  t.equal(await readIt('xn--mller-kva@larkfield.example'), 'xn--mller-kva@larkfield.example', 'the local part is none')
  for (const label of ['xn--', 'xn---', 'xn--99999999', 'xn--a-!', 'xn--mller-kv', `xn--${'9'.repeat(59)}`])
    t.equal(await readIt(`jo@${label}.example`), `jo@${label}.example`)
  t.equal(await readIt('jo@xn--99999999.xn--grn-ioa.example'), 'jo@xn--99999999.grün.example')
})

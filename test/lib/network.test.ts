import t from 'tap'
import { plainAddress } from '../../src/lib/network.ts'
import { networkOf } from '../../src/sessions/session.ts'

t.test('an address is read in every spelling that proxies and sockets use', async t => {
  const spellings: Record<string, string[]> = {
    '203.0.113.7': [
      ...['203.0.113.7', ' 203.0.113.7 ', '203.0.113.7:50001', '203.0.113.7:0', '[203.0.113.7]:443', '[203.0.113.7]'],
      ...['::ffff:203.0.113.7', '::FFFF:203.0.113.7', '::ffff:cb00:7107', '::ffff:CB00:7107', '[::ffff:cb00:7107]:443'],
      ...['0:0:0:0:0:ffff:cb00:7107', '0000:0000:0000:0000:0000:ffff:203.0.113.7', '::ffff:203.0.113.7%eth0'],
      ...['64:ff9b::203.0.113.7', '64:ff9b::cb00:7107']
    ],
    '2001:db8::1': [
      ...['2001:db8::1', '2001:DB8::1', '2001:0db8:0:0:0:0:0:1', '2001:db8:0:0::1', '[2001:db8::1]'],
      ...['[2001:db8::1]:443', '[2001:DB8::1]:50001', '2001:db8::1%eth0', '[2001:db8::1%25eth0]:443']
    ],
    'fe80::1': ['fe80::1%en0', 'fe80::1', 'FE80:0::1%1'],
    '::1': ['::1', '[::1]:3000', '0:0:0:0:0:0:0:1'],
    '::': ['::', '0::0'],
    '::ffff:7': ['::ffff:7'],
    '0.0.0.7': ['::ffff:0:7', '::ffff:0.0.0.7', '64:ff9b::7']
  }
  for (const [plain, texts] of Object.entries(spellings))
    for (const text of texts) t.equal(plainAddress(text), plain, text)
})

t.test('text that is not an address is refused', async t => {
  const none = [
    ...['', ' ', 'unknown', '_hidden', 'localhost', 'larkfield.example', 'x'.repeat(15_000), '1.2.3', '1.2.3.4.5'],
    ...['256.1.1.1', '203.000.113.007', '0xcb007107', '3405803783', '203.0.113.7:', '203.0.113.7:x', '203.0.113.7:1:2'],
    ...['[203.0.113.7', '203.0.113.7]', '[2001:db8::1]443', '[2001:db8::1]:', '[2001:db8::1]:443:1', '[]', '[]:1'],
    ...['2001:db8:::1', '2001:db8::g', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '%eth0', '::ffff:1.2.3', '\0']
  ]
  for (const text of none) t.equal(plainAddress(text), undefined, JSON.stringify(text.slice(0, 40)))
})

t.test('S21: a guesser has one network, with any spelling of the address and any port', async t => {
  const one = (texts: string[]) => new Set(texts.map(networkOf)).size
  t.equal(one(['203.0.113.7', '203.0.113.7:50001', '203.0.113.7:50002', '::ffff:cb00:7107', '::ffff:203.0.113.7']), 1)
  t.equal(one(['2001:db8:1:2::1', '[2001:db8:1:2:ffff::9]:50001', '2001:DB8:1:2::1%eth0', '2001:db8:1:2:3:4:5:6']), 1)
  t.equal(one(['', 'unknown', 'x', 'y:1', '_secret', '999.1.1.1', '1.1.1.1.1']), 1)
  t.not(networkOf('::ffff:cb00:7107'), networkOf('::ffff:cb00:7108'), 'mapped clients do not share one')
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  t.not(networkOf('203.0.113.7'), networkOf('x'))
})

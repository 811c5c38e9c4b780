import { test } from 'tap'
import { checkNesting, decodeEntry, headOf } from '../../../src/ldap/wire/ber.ts'
import { Framer } from '../../../src/ldap/wire/framer.ts'
import { encodeEntry, message, result, tlv } from '../../support/fake-directory.ts'

const messages = Array.from({ length: 20 }, (_, index) =>
  message(index, encodeEntry({ dn: `cn=${index}`, attributes: { cn: ['x'.repeat(index * 40)] } }))
)

test('11: messages are complete, however the stream is cut', async t => {
  const stream = Buffer.concat(messages)
  for (const size of [1, 2, 3, 7, 100, 1000, stream.length]) {
    const taken: Buffer[] = []
    const framer = new Framer(
      () => 10_000,
      each => taken.push(Buffer.from(each))
    )
    for (let at = 0; at < stream.length; at += size) framer.push(stream.subarray(at, at + size))
    t.same(taken, messages, `in pieces of ${size}`)
    t.equal(framer.waiting, 0)
  }
})

test('13: the chunks of a message are joined once', async t => {
  const big = message(1, encodeEntry({ dn: 'cn=a', attributes: { member: Array(40_000).fill('x'.repeat(100)) } }))
  const concat = Buffer.concat
  let copied = 0
  Buffer.concat = (list, total) => {
    const joined = concat(list, total)
    copied += joined.length
    return joined
  }
  t.teardown(() => {
    Buffer.concat = concat
  })
  let taken = 0
  const framer = new Framer(
    () => big.length,
    each => {
      taken += each.length
    }
  )
  for (let at = 0; at < big.length; at += 16_384) framer.push(big.subarray(at, at + 16_384))
  t.equal(taken, big.length)
  t.ok(copied < big.length * 1.1, `${copied} bytes copied for ${big.length}`)
})

test('F14: an endless value is refused when its length is read', async t => {
  const framer = new Framer(
    () => 1_000,
    () => {}
  )
  t.throws(() => framer.push(Buffer.from('3084ffffffff', 'hex')), /4294967301 bytes/)
})

test('data that is not LDAP is refused at its first byte', async t => {
  for (const start of ['HTTP/1.1 400', '\x15\x03\x01\x00\x02', '\x30\x80\x00', '\x30\x85\x01\x01\x01\x01\x01'])
    t.throws(
      () =>
        new Framer(
          () => 1_000,
          () => {}
        ).push(Buffer.from(start, 'latin1')),
      /LDAP|length/
    )
})

test('malformed messages are refused: lengths beyond the message would make the library loop forever', async t => {
  const bad: Buffer[] = [
    tlv(0x30, tlv(2, Buffer.from([1]))),
    tlv(0x30, tlv(2, '')),
    tlv(0x30, tlv(2, Buffer.from([1])), tlv(0x64, tlv(4, 'cn=a'))),
    tlv(0x30, tlv(2, Buffer.from([1])), tlv(0x64, tlv(4, 'cn=a'), tlv(0x30, tlv(0x30, tlv(4, 'cn'))))),
    tlv(0x30, tlv(2, Buffer.from([1])), tlv(0x64, tlv(4, 'cn=a'), tlv(0x30, Buffer.from('300a04', 'hex')))),
    tlv(0x30, tlv(2, Buffer.from([1])), tlv(0x64, tlv(0x30, tlv(4, 'cn=a'))))
  ]
  for (const bytes of bad)
    t.throws(() => decodeEntry(bytes, headOf(bytes).operation), /malformed/, bytes.toString('hex').slice(0, 40))
  const response = message(1, result(0x61, 0, '', [Buffer.from('870a01', 'hex')]))
  t.throws(() => checkNesting(response), /malformed/)
  t.doesNotThrow(() => checkNesting(message(1, result(0x61, 0, 'fine'))))
  let deep = tlv(0x30)
  for (let depth = 0; depth < 40; depth += 1) deep = tlv(0x30, deep)
  t.throws(() => checkNesting(deep), /malformed/)
})

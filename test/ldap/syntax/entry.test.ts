import { test } from 'tap'
import { Entry } from '../../../src/ldap/syntax/entry.ts'
import { idToBytes, idToText } from '../../../src/ldap/syntax/identifier.ts'
import { parseMemberUrl } from '../../../src/ldap/syntax/member-url.ts'
import { decodeEntry, headOf } from '../../../src/ldap/wire/ber.ts'
import { encodeEntry, message } from '../../support/fake-directory.ts'

function entryOf(attributes: Record<string, (string | Buffer)[]>, dn = 'cn=a,o=x') {
  const bytes = message(2, encodeEntry({ dn, attributes }))
  return new Entry(decodeEntry(bytes, headOf(bytes).operation))
}

test('17: attributes are lists under any spelling of their name', async t => {
  const entry = entryOf({ modifyTimeStamp: ['1'], CN: ['Ada', 'Augusta'] })
  t.same(entry.texts('modifytimestamp'), ['1'])
  t.same(entry.texts('cn'), ['Ada', 'Augusta'])
  t.same(entry.texts('absent'), [])
  t.equal(entry.text('absent', 'cn'), 'Ada')
  t.equal(entry.text('absent'), null)
})

test('17: a range of many values is not an empty attribute', async t => {
  const entry = entryOf({ member: [], 'member;range=0-1': ['cn=a', 'cn=b'] })
  t.same(entry.part('member'), { first: 0, last: 1, values: ['cn=a', 'cn=b'] })
  t.same(entryOf({ 'Member;Range=2-*': ['cn=c'] }).part('member'), { first: 2, last: undefined, values: ['cn=c'] })
  t.equal(entryOf({ 'member;range=x-1': ['cn=c'] }).part('member'), undefined)
})

test('17: one value that is not text does not affect the others, and ids are always bytes', async t => {
  const entry = entryOf({ cn: [Buffer.from('ff00', 'hex'), 'Ada'], objectGUID: ['0123456789abcdef'] })
  t.same(entry.texts('cn'), ['\ufffd', 'Ada'], 'without NUL, which no database takes')
  t.equal(idToText('objectGUID', entry.bytes('objectguid')[0]), '33323130-3534-3736-3839-616263646566')
})

test('21: an attribute named dn, __proto__ or constructor is an attribute like any other', async t => {
  const entry = entryOf({ dn: ['cn=evil'], ['__proto__']: ['x'], constructor: ['y'] })
  t.equal(entry.dn, 'cn=a,o=x')
  t.same(entry.texts('constructor'), ['y'])
  t.equal(({} as Record<string, unknown>).x, undefined)
})

test('ids can be converted to text and back', async t => {
  const guid = Buffer.from('f81d4fae7dec11d0a76500a0c91e6bf6', 'hex')
  t.equal(idToText('objectGUID', guid), 'ae4f1df8-ec7d-d011-a765-00a0c91e6bf6')
  t.same(idToBytes('objectguid', 'AE4F1DF8-ec7d-d011-a765-00a0c91e6bf6'), guid)
  t.same(idToBytes('guid', idToText('guid', guid)!), guid)
  t.equal(
    idToText('entryUUID', Buffer.from('597ae2f6-16a6-1027-98f4-d28b5365dc14')),
    '597ae2f6-16a6-1027-98f4-d28b5365dc14'
  )
  t.equal(idToBytes('objectGUID', '*'), null)
  t.equal(idToText('objectGUID', Buffer.from('short')), null)
  t.equal(idToText('entryUUID', undefined), null)
})

test('addresses of dynamic groups are read according to RFC 4516', async t => {
  t.same(parseMemberUrl('ldap:///ou=People,dc=x??sub?(title=a%20b)'), {
    host: '',
    base: 'ou=People,dc=x',
    scope: 'sub',
    filter: '(title=a b)'
  })
  t.same(parseMemberUrl('ldap://Other.example:389/dc=x'), {
    host: 'other.example',
    base: 'dc=x',
    scope: 'base',
    filter: '(objectClass=*)'
  })
  for (const text of ['http://x', 'ldap:///dc=x??tree', 'ldap:///%zz', ''])
    t.equal(parseMemberUrl(text), undefined, text)
})

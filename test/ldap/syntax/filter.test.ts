import fc from 'fast-check'
import { BerWriter, type Filter, FilterParser } from 'ldapts'
import { test } from 'tap'
import { parseFilter } from '../../../src/ldap/syntax/filter.ts'
import { contains, equals } from '../../../src/ldap/syntax/literal.ts'

function bytesOf(filter: Filter): string {
  const writer = new BerWriter()
  filter.write(writer)
  return writer.buffer.toString('hex')
}

test('14: filters that ldapts can also read are sent as the same bytes', async t => {
  for (const text of [
    '(cn=ada)',
    '(&(objectClass=person)(|(uid=a*)(mail=*@x.example)))',
    '(!(uid=x))',
    '(cn=*)',
    '(cn=a*b*c)',
    '(uidNumber>=10)',
    '(uidNumber<=10)',
    '(cn~=ada)',
    '(userAccountControl:1.2.840.113556.1.4.803:=2)',
    '(ou:dn:=People)',
    '(cn:dn:2.4.6.8.10:=ada)'
  ])
    t.equal(bytesOf(parseFilter(text)), bytesOf(FilterParser.parseString(text)), text)
})

test('14: filters that ldapts gets wrong are right', async t => {
  t.equal(bytesOf(parseFilter('(cn=\\c3\\85)')), bytesOf(equals('cn', 'Å')), 'hex UTF-8 is not encoded twice')
  t.equal(
    bytesOf(parseFilter('(objectGUID=\\ff\\00\\85)')),
    bytesOf(equals('objectGUID', Buffer.from('ff0085', 'hex')))
  )
  t.equal(bytesOf(parseFilter('(2.5.4.3=ada)')), bytesOf(equals('2.5.4.3', 'ada')), 'OIDs')
  t.equal(bytesOf(parseFilter('(cn;lang-de=ada)')), bytesOf(equals('cn;lang-de', 'ada')), 'options')
  const spread = ' ( &\n\t(objectClass=person)\r\n ( | (uid=a) (uid=b) ) ) '
  t.equal(bytesOf(parseFilter(spread)), bytesOf(parseFilter('(&(objectClass=person)(|(uid=a)(uid=b)))')), 'blanks')
  t.equal(bytesOf(parseFilter('(&)')), 'a000', 'RFC 4526')
  t.equal(bytesOf(parseFilter('(!uid=x)')), bytesOf(parseFilter('(!(uid=x))')))
  t.equal(bytesOf(parseFilter('objectClass=person')), bytesOf(parseFilter('(objectClass=person)')))
  t.equal(bytesOf(parseFilter('(cn=*\\2a*)')), bytesOf(contains('cn', '*')), 'an escaped asterisk is a letter')
})

test('14: text that is not a filter is refused with the position', async t => {
  for (const text of [
    '',
    '(',
    '()',
    '(&(a=b)(c=d)',
    '(a=b))',
    '(a=b)(c=d)',
    '(=b)',
    '(a b=c)',
    '(a=\\zz)',
    '(a=\\)',
    '(a=(b))',
    '(a)',
    '(!)',
    '(a:=)(',
    '(:=x)',
    '(a:b:c:d:=x)',
    '(a"=b)',
    `${'(!'.repeat(40)}(a=b)${')'.repeat(40)}`,
    `(a=${'b'.repeat(20_000)})`
  ])
    t.throws(() => parseFilter(text), { name: 'DirectoryProblem', message: /filter/ }, text.slice(0, 30))
})

test('S11: text is only ever text', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), text => {
      const sent = Buffer.from(bytesOf(equals('cn', text)), 'hex')
      return sent.indexOf(Buffer.from(text)) > 0 && sent[0] === 0xa3
    })
  )
  t.pass()
})

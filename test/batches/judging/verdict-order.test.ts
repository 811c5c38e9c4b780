import t from 'tap'
import { revoke } from '../../../src/invitations/revoke.ts'
import { optOut } from '../../../src/mail/store.ts'
import { addUser, startApp } from '../../support/app.ts'
import { linesOf, upload } from '../../support/batches.ts'
import { expire, inviteOne } from '../../support/people.ts'
import { takesAll } from '../../support/transports.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

async function judged(...lines: string[]) {
  const id = await upload(ben, lines)
  await work(takesAll())
  return (await linesOf(db, id)).map(({ verdict, firstLine }) => (firstLine ? `${verdict} of ${firstLine}` : verdict))
}

t.test('malformed and foreign come first, and repeats of them get the same verdict', async t => {
  t.same(await judged('nobody', 'nobody', 'kim@elsewhere.example', 'KIM@elsewhere.example', 'kim @larkfield.example'), [
    ...['malformed', 'malformed', 'foreign', 'foreign', 'malformed']
  ])
})

t.test('duplicate comes before any verdict about the person: each person counts once', async t => {
  await addUser(db, 'left', 'member', { isDeactivated: true })
  await optOut(db, 'opted@larkfield.example')
  await inviteOne(db, ids.ben, 'open@larkfield.example')
  const names = ['dan', 'left', 'opted', 'open', 'new']
  const lines = [...names, ...names.map(name => name.toUpperCase())].map(name => `${name}@larkfield.example`)
  t.same(await judged(...lines), [
    ...['active', 'deactivated', 'suppressed', 'pending', 'invite'],
    ...['duplicate of 1', 'duplicate of 2', 'duplicate of 3', 'duplicate of 4', 'duplicate of 5']
  ])
})

t.test('the first line is the first of the whole file, even across chunks', async t => {
  const filler = Array.from({ length: 11_000 }, (_, index) => `filler${index}@larkfield.example`)
  const verdicts = await judged(
    'a@larkfield.example',
    ...filler,
    'A@larkfield.example',
    'a@LARKFIELD.example',
    filler[7_000]!
  )
  t.same(verdicts.slice(-3), ['duplicate of 1', 'duplicate of 1', 'duplicate of 7002'])
  t.equal(verdicts.filter(verdict => verdict === 'invite').length, 11_001)
})

t.test('signed up and deactivated come before suppressed, suppressed before an open invitation', async t => {
  await optOut(db, 'dan@larkfield.example')
  await optOut(db, 'left@larkfield.example')
  await optOut(db, 'open@larkfield.example')
  t.same(await judged('dan@larkfield.example', 'left@larkfield.example', 'open@larkfield.example'), [
    ...['active', 'deactivated', 'suppressed']
  ])
})

t.test('expired and revoked people are invited again; a plus tag, a dot or a subdomain is another person', async t => {
  const late = await inviteOne(db, ids.ben, 'late@larkfield.example')
  await expire(db, late.personId)
  const gone = await inviteOne(db, ids.ben, 'gone@larkfield.example')
  await revoke(db, ids.ben, gone.invitationId)
  const lines = ['late', 'gone', 'late+tag', 'la.te'].map(name => `${name}@larkfield.example`)
  t.same(await judged(...lines, 'late@mail.larkfield.example', 'late@larkfield-retail.example'), [
    ...['invite', 'invite', 'invite', 'invite', 'foreign', 'invite']
  ])
  t.same(await judged(...lines.slice(0, 2)), ['pending', 'pending'])
})

t.test('many spellings are one person: composed, decomposed, upper case, the domain in Unicode', async t => {
  t.same(
    await judged(
      'zo\u00eb@larkfield.example',
      'zoe\u0308@larkfield.example',
      'ZO\u00cb@Larkfield.Example',
      ' zoë@larkfield.example\u00a0'
    ),
    ['invite', 'duplicate of 1', 'duplicate of 1', 'duplicate of 1']
  )
})

/** What admins and owners decide about a person's directory entry. */
import t from 'tap'
import { addUser, goodPassword, startApp } from '../support/app.ts'
import { changeDirectory, writable } from '../support/cases.ts'
import { environmentOf } from '../support/directory-site.ts'
import { inviteOne, linkOf, one, sql } from '../support/people.ts'
import { dnOf, group, groups, person, startSlapd } from '../support/slapd.ts'

const slapd = await startSlapd({
  database: writable,
  entries: [
    ...['kim', 'lea', 'mia', 'nia', 'dan', 'ben', 'ada'].map(uid =>
      person(uid, { userPassword: `${uid}-in-the-directory` })
    ),
    group('Staff', ['kim', 'lea', 'mia', 'nia', 'dan', 'ben', 'ada'].map(dnOf))
  ]
})
const rollcall = await startApp({ environment: environmentOf(slapd) })
t.teardown(() => Promise.all([slapd.stop(), rollcall.close()]))
const { db, ids, browser, work } = rollcall
const [ada, ben, cleo, dan] = await Promise.all([browser('ada'), browser('ben'), browser('cleo'), browser('dan')])
/** A page's text without the marks where long words may break. */
const plain = ({ body }: { body: string }) => body.replaceAll('<wbr>', '')
const at = (name: string) => `${name}@larkfield.example`

const { body } = await ben.get('/groups?q=Staff')
const found = /name="group"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="group"/.exec(body)!
await ben.post('/groups', { group: (found[1] ?? found[2])! })
await work()
const sync = async () => {
  await db.execute(sql`update directory_groups set next_run_at = now()`)
  await work()
}
const rowOf = (id: number) =>
  one<Record<string, string | null>>(
    db,
    sql`select email, directory_id, directory_dn, directory_bound_by, directory_password_at, directory_mail, role, password_hash,
      name, stage, (select count(*) from sessions s where s.person_id = people.id) as sessions from people where id = ${id}`
  )
const idOf = async (address: string) =>
  (await one<{ id: number }>(db, sql`select id from people where address_key = ${address}`)).id
const signIn = async (email: string, password: string) => {
  await db.execute(sql`delete from sign_in_failures`)
  return (await browser()).post('/sign-in', { email, password })
}
const join = async (uid: string) => {
  const { token, personId } = await inviteOne(db, ids.ben, at(uid))
  const own = await browser()
  await own.post(`/join/${token}`, { name: uid, password: `${uid}-in-the-directory` })
  return { personId, own }
}
const lastEvent = (id: number) =>
  one<{ kind: string; actorId: string; details: Record<string, unknown> }>(
    db,
    sql`select kind, actor_id, details from events where person_id = ${id} order by id desc limit 1`
  )
/** Deletes an entry and creates another with its address, in the same group. */
const replace = (uid: string, by: string, more = '') =>
  changeDirectory(
    slapd,
    `dn: ${dnOf(uid)}\nchangetype: delete\n\ndn: ${dnOf(by)}\nobjectClass: inetOrgPerson\nuid: ${by}\ncn: ${by}\nsn: ${by}\nmail: ${at(uid)}\nuserPassword: ${by}-in-the-directory\n${more}\n` +
      `dn: cn=Staff,${groups}\nchangetype: modify\nadd: member\nmember: ${dnOf(by)}\n-\ndelete: member\nmember: ${dnOf(uid)}\n`
  )

t.test('the page shows the entry, when and how it was bound, and what the directory says now', async t => {
  const id = await idOf(at('kim'))
  const page = plain(await cleo.get(`/people/${id}`))
  for (const words of [dnOf('kim'), 'Bound since', 'a sync added this person from it', `/people/${id}/entry`])
    t.match(page, words)
  t.notMatch(page, 'Separate…', 'an auditor only reads')
  const now = await cleo.get(`/people/${id}/entry`)
  t.equal(now.statusCode, 200)
  t.match(plain(now), 'Bound to')
  t.match(plain(now), dnOf('kim'))
  t.equal((await dan.get(`/people/${id}/entry`)).statusCode, 403)
  t.equal((await ben.get('/people/999999/entry')).statusCode, 404)
})

t.test('an admin binds an entry that was deleted and recreated, and the account keeps working', async t => {
  const { personId, own } = await join('kim')
  replace('kim', 'kim2')
  await sync()
  t.equal((await signIn(at('kim'), 'kim2-in-the-directory')).statusCode, 422)
  const page = plain(await ben.get(`/people/${personId}`))
  t.match(page, 'Another entry has this address.')
  t.match(page, 'is not in the directory')
  t.match(plain(await ben.get('/')), '/groups/entries', 'the dashboard leads there')
  t.match(plain(await cleo.get('/groups/entries')), `/people/${personId}`)
  t.match(plain(await cleo.get('/groups')), 'Check the directory entries of 1 person')
  const look = plain(await ben.get(`/people/${personId}/entry`))
  t.match(look, 'was not found')
  const entry = /name="entry" value="([^"]+)"/.exec(look)![1]!
  for (const each of [cleo, dan])
    t.equal((await each.post(`/people/${personId}/entry`, { entry, holder: 'same' })).statusCode, 403)
  const tries: Record<string, string>[] = [
    {},
    { entry },
    { entry: '', holder: 'same' },
    { entry, holder: 'x' },
    { entry: 'no-such-entry', holder: 'same' }
  ]
  for (const bad of tries) t.equal((await ben.post(`/people/${personId}/entry`, bad)).statusCode, 422)
  t.match(await rowOf(personId), { directoryDn: dnOf('kim') })
  t.match(await ben.post(`/people/${personId}/entry`, { entry, holder: 'same' }), {
    statusCode: 303,
    headers: { location: `/people/${personId}` }
  })
  t.match(await rowOf(personId), {
    directoryDn: dnOf('kim2'),
    directoryBoundBy: 'admin',
    sessions: 0,
    stage: 'signed-up'
  })
  t.equal((await own.get('/me')).statusCode, 303, 'signed out')
  t.match(await lastEvent(personId), { kind: 'entry-changed', details: { before: dnOf('kim'), entry: dnOf('kim2') } })
  t.equal((await signIn(at('kim'), 'kim2-in-the-directory')).statusCode, 303)
  await work()
  t.match(
    await one(db, sql`select count(*) as n from memberships where person_id = ${personId} and source = 'directory'`),
    { n: 1 }
  )
  t.equal((await ben.post(`/people/${personId}/entry`, { entry, holder: 'same' })).statusCode, 409, 'twice')
})

t.test('handing over removes everything of the former holder: role, password, teams, sessions', async t => {
  const { personId } = await join('lea')
  await db.execute(
    sql`update people set password_hash = 'x', directory_password_at = now(), role = 'auditor' where id = ${personId}`
  )
  const { id: team } = await one<{ id: number }>(
    db,
    sql`insert into teams (name, source, member_count) values ('Crew', 'hand', 1) returning id`
  )
  await db.execute(sql`insert into memberships (team_id, person_id, source) values (${team}, ${personId}, 'hand')`)
  replace('lea', 'leo')
  await sync()
  const entry = /name="entry" value="([^"]+)"/.exec(plain(await ben.get(`/people/${personId}/entry`)))![1]!
  await db.execute(
    sql`insert into provider_accounts (person_id, issuer, subject) values (${personId}, 'https://id.example', 'former')`
  )
  t.equal((await ben.post(`/people/${personId}/entry`, { entry, holder: 'other' })).statusCode, 303)
  t.same(await db.execute(sql`select * from provider_accounts`), [], 'S6: the former holder’s account at the provider')
  t.match(await rowOf(personId), {
    directoryDn: dnOf('leo'),
    role: 'member',
    passwordHash: null,
    name: 'leo',
    sessions: 0
  })
  t.match(await one(db, sql`select member_count from teams where id = ${team}`), { memberCount: 0 })
  t.equal((await signIn(at('lea'), 'leo-in-the-directory')).statusCode, 303)
})

t.test(
  'only an owner decides about an admin’s or owner’s account, even if just the invitation gives the role',
  async t => {
    await db.execute(
      sql`update people set directory_mail = 'x@larkfield.example', directory_mail_key = 'x@larkfield.example' where id = ${ids.ada}`
    )
    const { personId } = await inviteOne(db, ids.ada, at('nia'))
    await db.execute(
      sql`update invitations set role = 'admin', role_granted_by = ${ids.ada} where person_id = ${personId}`
    )
    for (const id of [ids.ada, ids.ben, personId]) {
      const tries: [string, Record<string, string>][] = [
        ['entry', { entry: (await rowOf(await idOf(at('mia')))).directoryId!, holder: 'same' }],
        ['entry/removal', {}],
        ['address', { address: 'x@larkfield.example' }]
      ]
      for (const [act, fields] of tries)
        t.equal((await ben.post(`/people/${id}/${act}`, fields)).statusCode, 403, `${id} ${act}`)
      t.notMatch(plain(await ben.get(`/people/${id}`)), /Separate…|Use the directory/)
    }
    t.equal((await ben.post(`/people/${ids.dan}/entry/password`)).statusCode, 403)
    t.match((await rowOf(personId)).directoryDn, dnOf('nia'))
    t.equal((await ada.post(`/people/${personId}/entry/removal`)).statusCode, 303)
    await db.execute(sql`update people set directory_mail = null, directory_mail_key = null where id = ${ids.ada}`)
  }
)

t.test('an owner allows the directory’s password if the Rollcall password is forgotten', async t => {
  t.equal((await signIn(at('dan'), 'dan-in-the-directory')).statusCode, 200, 'asked for the other one')
  t.match(plain(await ada.get(`/people/${ids.dan}`)), 'Allow its password…')
  t.equal((await ada.post(`/people/${ids.dan}/entry/password`)).statusCode, 303)
  t.equal((await ada.post(`/people/${ids.dan}/entry/password`)).statusCode, 409)
  t.equal((await signIn(at('dan'), 'dan-in-the-directory')).statusCode, 303)
  t.equal((await signIn(at('dan'), goodPassword)).statusCode, 303)
})

t.test('a separated person is signed out, and no address or sync links the entry again', async t => {
  t.equal((await ben.post(`/people/${ids.dan}/entry/removal`)).statusCode, 303)
  t.match(await rowOf(ids.dan), { directoryId: null, directoryPasswordAt: null, sessions: 0 })
  await sync()
  t.match(await rowOf(ids.dan), { directoryId: null })
  t.equal((await signIn(at('dan'), 'dan-in-the-directory')).statusCode, 200, 'both passwords are asked again')
  t.equal((await signIn(at('dan'), goodPassword)).statusCode, 303)
  t.equal((await ben.post(`/people/${ids.dan}/entry/removal`)).statusCode, 409)
  await db.execute(sql`update people set password_hash = null where id = ${ids.ada}`)
  const last = await ada.post(`/people/${ids.ada}/entry/removal`)
  t.equal(last.statusCode, 422, 'the only owner would be locked out')
  t.match(last.body, 'another person an owner first')
})

t.test('the person gets the directory’s address: the link to the former one ends, and a new email is sent', async t => {
  const { personId, token } = await inviteOne(db, ids.ben, at('mia'))
  changeDirectory(slapd, `dn: ${dnOf('mia')}\nchangetype: modify\nreplace: mail\nmail: ${at('mia.new')}\n`)
  await sync()
  t.match(plain(await ben.get(`/people/${personId}`)), `Change the address to ${at('mia.new')}?`)
  t.equal(
    (await ben.post(`/people/${personId}/address`, { address: at('other') })).statusCode,
    422,
    'not what was shown'
  )
  t.equal((await ben.post(`/people/${personId}/address`, { address: at('mia.new') })).statusCode, 303)
  t.match(await rowOf(personId), { email: at('mia.new'), directoryMail: null, stage: 'invited' })
  const old = await (await browser()).post(`/join/${token}`, { name: 'M', password: 'mia-in-the-directory' })
  t.equal(old.statusCode, 410)
  t.match(
    await one(db, sql`select address, state from deliveries where person_id = ${personId} order by id desc limit 1`),
    { address: at('mia.new'), state: 'queued' }
  )
  const fresh = await linkOf(db, at('mia.new'))
  t.equal(
    (await (await browser()).post(`/join/${fresh.token}`, { name: 'M', password: 'mia-in-the-directory' })).statusCode,
    303
  )
  t.match(await lastEvent(personId), { kind: 'signed-up' })
})

t.test('after the move, and not before, a user signs in with the new address', async t => {
  const id = await idOf(at('mia.new'))
  changeDirectory(slapd, `dn: ${dnOf('mia')}\nchangetype: modify\nreplace: mail\nmail: ${at('mia')}\n`)
  await sync()
  t.equal((await signIn(at('mia'), 'mia-in-the-directory')).statusCode, 422)
  t.equal((await ben.post(`/people/${id}/address`, { address: at('mia') })).statusCode, 303)
  t.equal((await signIn(at('mia'), 'mia-in-the-directory')).statusCode, 303)
  t.equal((await signIn(at('mia.new'), 'mia-in-the-directory')).statusCode, 422)
  const holder = await addUser(db, 'zed', 'member')
  await db.execute(
    sql`update people set directory_mail = ${at('zed')}, directory_mail_key = ${at('zed')} where id = ${id}`
  )
  const taken = await ben.post(`/people/${id}/address`, { address: at('zed') })
  t.equal(taken.statusCode, 422)
  t.match(taken.body, 'Another person has that address here')
  t.ok(holder)
})

t.test('after a directory was replaced an owner binds everyone who has exactly one new entry', async t => {
  await db.execute(
    sql`update people set password_hash = (select password_hash from people where id = ${ids.ben}) where id = ${ids.ada}`
  )
  await db.execute(sql`delete from sign_in_failures`)
  const owner = await browser('ada')
  replace('nia', 'nia2')
  replace('ben', 'ben2')
  changeDirectory(
    slapd,
    `dn: uid=mia-twin,ou=People,dc=larkfield,dc=example\nobjectClass: inetOrgPerson\nuid: mia-twin\ncn: m\nsn: m\nmail: ${at('mia')}\n\ndn: cn=Staff,${groups}\nchangetype: modify\nadd: member\nmember: uid=mia-twin,ou=People,dc=larkfield,dc=example\n`
  )
  await db.execute(
    sql`update people set directory_separated_at = null, directory_id = 'former-nia', directory_dn = 'uid=nia' where address_key = ${at('nia')}`
  )
  await sync()
  t.equal((await ben.post('/groups/entries/approval')).statusCode, 403)
  const page = plain(await owner.get('/groups/entries'))
  t.match(page, 'Bind all by address…')
  t.match(await owner.submit('/groups/entries/approval'), {
    statusCode: 200,
    body: /Bound to their new entries: 2 people/
  })
  t.match(await rowOf(await idOf(at('nia'))), { directoryDn: dnOf('nia2'), directoryBoundBy: 'admin' })
  t.match(await rowOf(ids.ben), { directoryDn: dnOf('ben2'), role: 'admin', sessions: 0 })
  t.match(await rowOf(await idOf(at('mia'))), { directoryDn: dnOf('mia') }, 'the former entry is still there')
})

t.test('while the directory is down nothing is bound, and the page says so', async t => {
  const id = await idOf(at('mia'))
  await db.execute(sql`delete from sign_in_failures`)
  const admin = await browser('ben')
  await slapd.stop()
  const page = await admin.get(`/people/${id}/entry`)
  t.equal(page.statusCode, 200)
  t.match(page.body, 'Could not reach the directory.')
  const refused = await admin.post(`/people/${id}/entry`, { entry: 'x', holder: 'same' })
  t.equal(refused.statusCode, 422)
  t.match(refused.body, 'does not answer')
  t.equal((await signIn(at('mia'), 'mia-in-the-directory')).statusCode, 503)
})

/** Who may sign in and join with the password of which entry (cases 1, 3 and 6). */
import t from 'tap'
import { addUser, baseUrl, encode, goodPassword, startApp } from '../support/app.ts'
import { changeDirectory, recordsOf, writable } from '../support/cases.ts'
import { environmentOf } from '../support/directory-site.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { dnOf, group, groups, person, startSlapd, suffix } from '../support/slapd.ts'

const slapd = await startSlapd({
  modules: ['ppolicy'],
  database: writable,
  entries: [
    { dn: `ou=former,${suffix}`, objectClass: 'organizationalUnit', ou: 'former' },
    person('lee', { userPassword: 'lee-in-the-directory' }),
    person('dan', { userPassword: 'dan-in-the-directory' }),
    person('ida', { userPassword: 'ida-in-the-directory' }),
    person('max', { userPassword: 'max-in-the-directory' }),
    group('Company', ['ida', 'max'].map(dnOf))
  ]
})
const rollcall = await startApp({ environment: environmentOf(slapd) })
t.teardown(() => Promise.all([slapd.stop(), rollcall.close()]))
const { db, ids, browser, work } = rollcall
await addUser(db, 'ida', 'member')
const [ada, ben] = [await browser('ada'), await browser('ben')]

const send = (url: string, fields: Record<string, string>) => {
  const headers = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  return rollcall.app.inject({ method: 'POST', url, headers, payload: encode(fields) })
}
const signIn = async (email: string, password: string) => {
  await db.execute(sql`delete from sign_in_failures`)
  return send('/sign-in', { email, password })
}
const join = async (email: string, password: string) => {
  await db.execute(sql`delete from sign_in_failures`)
  const { token, personId } = await inviteOne(db, ids.ben, email)
  const answer = await (await browser()).post(`/join/${token}`, { name: 'Somebody', password })
  return { answer, personId }
}
const sync = async (name: string) => {
  const { body } = await ben.get(`/groups?q=${name}`)
  const id = /name="group"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="group"/.exec(body)
  await ben.post('/groups', { group: (id?.[1] ?? id?.[2])! })
  await work()
}
const entryOf = (id: number) =>
  one<Record<string, string | null>>(
    db,
    sql`select directory_dn, directory_bound_by, directory_trouble, directory_password_at from people where id = ${id}`
  )
const eventsOf = async (id: number, kind: string) =>
  (await db.execute(sql`select 1 from events where person_id = ${id} and kind = ${kind}`)).length
const ticketOf = (body: string) => /name="ticket" value="([^"]+)"/.exec(body)![1]!

t.test('case 1: a newcomer with a freed address cannot sign in, and an admin is told', async t => {
  const [first, staff, newcomer] = recordsOf('freed-mail.ldif') as [string, string, string]
  changeDirectory(slapd, [first, staff].join('\n'))
  await sync('staff')
  const { answer, personId } = await join('kim@larkfield.example', 'first-persons-password-1')
  t.equal(answer.statusCode, 303)
  await db.execute(sql`update people set role = 'admin' where id = ${personId}`)
  t.equal((await signIn('kim@larkfield.example', 'first-persons-password-1')).statusCode, 303)

  changeDirectory(slapd, `dn: uid=kim1,ou=people,${suffix}\nchangetype: delete\n\n${newcomer}`)
  for (const password of ['second-persons-password-2', 'first-persons-password-1', 'wrong'])
    t.equal((await signIn('kim@larkfield.example', password)).statusCode, 422, password)
  t.match(await entryOf(personId), { directoryTrouble: 'entry-missing' })
  t.equal(await eventsOf(personId, 'directory-refused'), 1, 'said once, not with every try')
  t.match((await ben.get('/activity')).body, 'their entry was not found')
})

t.test('a renamed and moved entry still opens its account under its current DN', async t => {
  await sync('Company')
  t.equal((await join('max@larkfield.example', 'max-in-the-directory')).answer.statusCode, 303)
  changeDirectory(
    slapd,
    `dn: ${dnOf('max')}\nchangetype: modrdn\nnewrdn: uid=maxim\ndeleteoldrdn: 1\nnewsuperior: ou=former,${suffix}\n\n` +
      `dn: uid=maxim,ou=former,${suffix}\nchangetype: modify\nreplace: mail\nmail: maxim@larkfield.example\n`
  )
  t.equal((await signIn('max@larkfield.example', 'max-in-the-directory')).statusCode, 303)
  t.equal((await signIn('maxim@larkfield.example', 'max-in-the-directory')).statusCode, 422, 'no user has that address')
})

t.test(
  'case 3: the directory’s password opens an account with a Rollcall password only after both were entered',
  async t => {
    t.equal((await signIn('dan@larkfield.example', goodPassword)).statusCode, 303, 'the password chosen here')
    const step = await send('/sign-in', {
      email: 'dan@larkfield.example',
      password: 'dan-in-the-directory',
      next: '/me'
    })
    t.equal(step.statusCode, 200)
    t.equal(step.cookies.length, 0, 'this signs no one in')
    t.match(step.body, 'The password you chose here')
    const ticket = ticketOf(step.body)
    for (const password of ['dan-in-the-directory', '', 'wrong']) {
      const refused = await send('/sign-in/link', { ticket, password, next: '/me' })
      t.equal(refused.statusCode, 422, password)
      t.equal(ticketOf(refused.body), ticket, 'the step can be tried again')
    }
    t.match(await entryOf(ids.dan), { directoryDn: null, directoryPasswordAt: null })
    await db.execute(sql`delete from sign_in_failures`)
    const linked = await send('/sign-in/link', { ticket, password: goodPassword, next: '/me' })
    t.match(linked, { statusCode: 303, headers: { location: '/me' } })
    t.match(await entryOf(ids.dan), { directoryDn: dnOf('dan'), directoryBoundBy: 'password' })
    t.equal((await signIn('dan@larkfield.example', 'dan-in-the-directory')).statusCode, 303, 'from then on')
    t.equal((await signIn('dan@larkfield.example', goodPassword)).statusCode, 303, 'either')
    t.equal(await eventsOf(ids.dan, 'directory-linked'), 1)
  }
)

t.test('the step accepts only what this installation sealed for that person', async t => {
  const noPassword = await send('/sign-in/link', { ticket: 'x', password: goodPassword })
  t.equal(noPassword.statusCode, 422)
  t.match(noPassword.body, 'Sign in again')
  const ticket = ticketOf((await signIn('ida@larkfield.example', 'ida-in-the-directory')).body)
  const moved = ticket.replace(/^\d+/, String(ids.ada))
  t.equal((await send('/sign-in/link', { ticket: moved, password: goodPassword })).statusCode, 422)
  t.match(await entryOf(ids.ada), { directoryPasswordAt: null })
})

t.test('a sync that finds an account’s address in the directory does not open the account', async t => {
  const ida = await one<{ id: number }>(db, sql`select id from people where address_key = 'ida@larkfield.example'`)
  await db.execute(sql`update directory_groups set next_run_at = now(), fingerprint = null`)
  await work()
  t.match(await entryOf(ida.id), { directoryDn: dnOf('ida'), directoryPasswordAt: null })
  const step = await signIn('ida@larkfield.example', 'ida-in-the-directory')
  t.equal(step.statusCode, 200)
  t.equal((await signIn('ida@larkfield.example', goodPassword)).statusCode, 303)
})

t.test('case 6: of two entries with one address the bound one is used', async t => {
  const [jo, old] = recordsOf('twin-mail.ldif') as [string, string]
  changeDirectory(slapd, `${jo}\n${old}`)
  changeDirectory(
    slapd,
    `dn: cn=twins,${groups}\nobjectClass: groupOfNames\ncn: twins\nmember: uid=jo,ou=people,${suffix}\n`
  )
  await sync('twins')
  const wrong = await join('jo@larkfield.example', 'another-password-2')
  t.equal(wrong.answer.statusCode, 422)
  t.match(wrong.answer.body, 'is not the directory password for this address')
  t.equal((await join('jo@larkfield.example', 'right-password-of-jo-1')).answer.statusCode, 303)
  t.equal((await signIn('jo@larkfield.example', 'another-password-2')).statusCode, 422)
  t.equal((await signIn('jo@larkfield.example', 'right-password-of-jo-1')).statusCode, 303)
})

t.test('without a bound entry, an admin is told about the two entries, and the person what to do', async t => {
  const twin = (dn: string, password: string) =>
    `dn: ${dn}\nobjectClass: inetOrgPerson\nobjectClass: extensibleObject\nuid: pat\ncn: Pat\nsn: P\nmail: pat@larkfield.example\nuserPassword: ${password}\n`
  changeDirectory(slapd, twin(dnOf('pat'), 'pat-in-the-directory'))
  changeDirectory(slapd, twin(`uid=pat-old,ou=former,${suffix}`, 'pat-of-former-days'))
  const { answer, personId } = await join('pat@larkfield.example', 'pat-in-the-directory')
  t.equal(answer.statusCode, 422)
  t.match(answer.body, 'ask the people who invited you')
  t.notMatch(answer.body, /two entries|ou=former/i, 'the directory is not laid open')
  t.match(await entryOf(personId), { directoryDn: null, directoryTrouble: 'two-entries' })

  changeDirectory(
    slapd,
    `dn: uid=pat-old,ou=former,${suffix}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`
  )
  const again = await join('pat@larkfield.example', 'pat-in-the-directory')
  t.equal(again.answer.statusCode, 303, 'an entry that is disabled does not count')
  t.match(await entryOf(personId), {
    directoryDn: dnOf('pat'),
    directoryBoundBy: 'join',
    directoryTrouble: null
  })
})

t.test('an entry that is bound to one person opens no second account', async t => {
  changeDirectory(slapd, `dn: ${dnOf('lee')}\nchangetype: modify\nreplace: mail\nmail: lee.new@larkfield.example\n`)
  const { rows } = { rows: await db.execute(sql`select id from people where directory_dn like 'uid=lee%'`) }
  t.equal(rows.length, 1, 'Lee was synced with the staff')
  const { answer, personId } = await join('lee.new@larkfield.example', 'lee-in-the-directory')
  t.equal(answer.statusCode, 422)
  t.match(await entryOf(personId), { directoryDn: null, directoryTrouble: 'entry-taken' })
})

t.test('a user of former versions, without a Rollcall password or an entry, is bound at the next sign-in', async t => {
  changeDirectory(
    slapd,
    `dn: ${dnOf('uma')}\nobjectClass: inetOrgPerson\nuid: uma\ncn: Uma\nsn: U\nmail: Uma@larkfield.example \nuserPassword: uma-in-the-directory\n`
  )
  const uma = await addUser(db, 'uma', 'member')
  await db.execute(sql`update people set password_hash = null where id = ${uma}`)
  t.equal((await signIn('uma@larkfield.example', 'uma-in-the-directory')).statusCode, 303)
  t.match(await entryOf(uma), { directoryDn: dnOf('uma'), directoryBoundBy: 'sign-in' })
  await db.execute(sql`update people set directory_id = null, directory_separated_at = now() where id = ${uma}`)
  t.equal((await signIn('uma@larkfield.example', 'uma-in-the-directory')).statusCode, 422, 'not once separated')
  t.equal((await ada.get('/people')).statusCode, 200)
})

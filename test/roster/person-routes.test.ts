import t from 'tap'
import { addUser, goodPassword, type Persona, startApp } from '../support/app.ts'
import { expire, inviteOne, one, sql } from '../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const browsers = Object.fromEntries(
  await Promise.all((['ada', 'ben', 'cleo', 'dan'] as const).map(async name => [name, await browser(name)] as const))
) as Record<Persona, Awaited<ReturnType<typeof browser>>>
const { ada, ben, cleo } = browsers

const actionsOf = (body: string) =>
  [...body.matchAll(/action="(\/(?:people|invitations)\/\d+\/[\w-]+)"/g)].map(([, href]) => href)
const enrollmentOf = (body: string) => /data-enrollment="([\w-]+)"/.exec(body)?.[1]

t.test('the page shows the person’s whole history, newest first, with the mail server’s own words', async t => {
  const { personId, invitationId } = await inviteOne(db, ids.ben, 'story@larkfield.example')
  await work()
  await ben.post(`/invitations/${invitationId}/deliveries`)
  await ben.post(`/invitations/${invitationId}/revocation`)
  await ben.post(`/people/${personId}/invitations`)
  await db.execute(sql`update deliveries set state = 'deferred', attempts = 2, server_reply = '451 4.7.1 <later>, please'
    where person_id = ${personId} and state = 'queued'`)
  const { body } = await cleo.get(`/people/${personId}`)
  for (const words of [
    'Invited by Ben',
    '451 4.7.1 &lt;later&gt;, please',
    '2 attempts',
    'Next try',
    'revoked the invitation'
  ])
    t.match(body, words)
  const times = [...body.slice(body.indexOf('id="story-t"')).matchAll(/<time datetime="([^"]+)"/g)].map(([, at]) => at!)
  t.ok(times.length >= 5)
  t.same(times, [...times].sort().reverse())
})

t.test('each state offers the next actions to users who may perform them', async t => {
  const open = await inviteOne(db, ids.ben, 'open@larkfield.example')
  const late = await inviteOne(db, ids.ben, 'late@larkfield.example')
  await expire(db, late.personId)
  const taken = await inviteOne(db, ids.ben, 'taken@larkfield.example')
  await ben.post(`/invitations/${taken.invitationId}/revocation`)
  const left = await addUser(db, 'left', 'member', { isDeactivated: true })
  const [known] = await db.execute<{ id: number }>(
    sql`insert into people (email, address_key) values ('known@larkfield.example', 'known@larkfield.example') returning id`
  )
  const of = (id: number | string, act: string) => `/people/${id}/${act}`
  const invitation = (act: string) => `/invitations/${open.invitationId}/${act}`
  const expected: [number | string, string, string[], boolean][] = [
    [open.personId, 'invited', [invitation('deliveries'), invitation('link'), invitation('revocation')], true],
    [late.personId, 'expired', [of(late.personId, 'invitations')], false],
    [taken.personId, 'revoked', [of(taken.personId, 'invitations')], false],
    [known!.id, 'not-invited', [of(known!.id, 'invitations')], false],
    [ids.dan, 'signed-up', [of(ids.dan, 'deactivation')], true],
    [left, 'deactivated', [of(left, 'reactivation')], false]
  ]
  for (const [id, enrollment, actions, hasRole] of expected) {
    const pages = await Promise.all([ada, ben, cleo].map(async each => (await each.get(`/people/${id}`)).body))
    t.same(pages.map(enrollmentOf), [enrollment, enrollment, enrollment])
    t.same(actionsOf(pages[0]!), hasRole ? [...actions, of(id, 'role')] : actions, `owner: ${enrollment}`)
    t.same(actionsOf(pages[1]!), actions, `admin: ${enrollment}`)
    t.same(actionsOf(pages[2]!), [], `auditor: ${enrollment}`)
  }
  t.same(actionsOf((await ben.get(`/people/${ids.ada}`)).body), [], 'an admin does nothing to an owner')
})

t.test('for an address that bounced or opted out the page says why, and an admin allows email again', async t => {
  const { personId, invitationId } = await inviteOne(db, ids.ben, 'bounced@larkfield.example')
  t.equal((await ben.post(`/people/${personId}/mail-permission`)).statusCode, 409, 'nothing holds it back')
  await db.execute(sql`insert into suppressions (address_key, cause, server_reply)
    values ('bounced@larkfield.example', 'bounced', '550 5.1.1 no such user')`)
  const page = (await ben.get(`/people/${personId}`)).body
  t.match(page, '550 5.1.1 no such user')
  t.match(page, 'Allow email again')
  t.same(actionsOf(page), [
    `/people/${personId}/mail-permission`,
    `/invitations/${invitationId}/link`,
    `/invitations/${invitationId}/revocation`
  ])
  t.equal((await ben.post(`/invitations/${invitationId}/deliveries`)).statusCode, 409)
  t.match(await ben.post(`/people/${personId}/mail-permission`), {
    statusCode: 303,
    headers: { location: `/people/${personId}` }
  })
  t.equal((await ben.post(`/invitations/${invitationId}/deliveries`)).statusCode, 303)
  t.match((await ben.get(`/people/${personId}`)).body, 'allowed email to')
})

t.test(
  'a person whose invitation is closed can be invited again from their page, which leads to the batch',
  async t => {
    const { personId, invitationId } = await inviteOne(db, ids.ben, 'again@larkfield.example')
    await ben.post(`/invitations/${invitationId}/revocation`)
    const answer = await ben.submit(`/people/${personId}/invitations`)
    t.equal(answer.statusCode, 200)
    t.match(answer.body, 'again@larkfield.example')
    t.equal(enrollmentOf((await ben.get(`/people/${personId}`)).body), 'invited')
    for (const id of [ids.dan, await addUser(db, 'gone', 'member', { isDeactivated: true })])
      t.equal((await ben.post(`/people/${id}/invitations`)).statusCode, 409)
  }
)

t.test('an admin deactivates and reactivates members and auditors, an owner everyone', async t => {
  const ids = { member: 0, auditor: 0, admin: 0, owner: 0 }
  for (const role of ['member', 'auditor', 'admin', 'owner'] as const)
    ids[role] = await addUser(db, `the-${role}`, role)
  for (const [role, id] of Object.entries(ids)) {
    const mayAdmin = role === 'member' || role === 'auditor'
    t.equal((await ben.post(`/people/${id}/deactivation`)).statusCode, mayAdmin ? 303 : 403, role)
    t.equal((await ada.post(`/people/${id}/deactivation`)).statusCode, mayAdmin ? 409 : 303, `twice: ${role}`)
    t.equal((await ben.post(`/people/${id}/reactivation`)).statusCode, mayAdmin ? 303 : 403, role)
    t.equal((await ada.post(`/people/${id}/reactivation`)).statusCode, mayAdmin ? 409 : 303, `twice: ${role}`)
  }
  const { personId } = await inviteOne(db, ids.admin, 'not-yet@larkfield.example')
  t.equal((await ada.post(`/people/${personId}/deactivation`)).statusCode, 409, 'no one has signed up')
})

t.test('only an owner changes roles, of users and of open invitations', async t => {
  const user = await addUser(db, 'climber', 'member')
  const roleOf = async (id: number) =>
    (await one<{ role: string }>(db, sql`select role from people where id = ${id}`)).role
  t.match(await ada.post(`/people/${user}/role`, { role: 'auditor' }), {
    statusCode: 303,
    headers: { location: `/people/${user}` }
  })
  t.equal(await roleOf(user), 'auditor')
  for (const role of ['', 'Owner', 'root', 'constructor', '__proto__']) {
    const answer = await ada.post(`/people/${user}/role`, { role })
    t.equal(answer.statusCode, 422, role)
    t.match(answer.body, 'href="#role"')
  }
  for (const each of [ben, cleo, browsers.dan])
    t.equal((await each.post(`/people/${user}/role`, { role: 'owner' })).statusCode, 403)
  t.equal(await roleOf(user), 'auditor')
  const open = await inviteOne(db, ids.ben, 'higher@larkfield.example')
  t.equal((await ada.post(`/people/${open.personId}/role`, { role: 'admin' })).statusCode, 303)
  t.match((await ada.get(`/people/${open.personId}`)).body, '<option value="admin" selected>')
  t.equal(await roleOf(open.personId), 'member', 'not before signing up')
  await expire(db, open.personId)
  t.equal((await ada.post(`/people/${open.personId}/role`, { role: 'owner' })).statusCode, 409)
})

t.test('S22: the last owner stays, even with twenty concurrent requests', async t => {
  for (let round = 0; round < 5; round += 1) {
    const owners = [ids.ada, await addUser(db, `otto${round}`, 'owner'), await addUser(db, `olga${round}`, 'owner')]
    const visitor = await browser('ada')
    const tries = Array.from({ length: 21 }, (_, index) => {
      const id = owners[index % 3]
      return index % 2
        ? visitor.post(`/people/${id}/deactivation`)
        : visitor.post(`/people/${id}/role`, { role: 'admin' })
    })
    const codes = (await Promise.all(tries)).map(({ statusCode }) => statusCode)
    t.ok(
      codes.every(code => [303, 401, 403, 409, 422].includes(code)),
      codes.join()
    )
    const left = sql`select count(*) as n from people where role = 'owner' and deactivated_at is null`
    // an owner who was demoted in the meantime no longer changes others, so more than one may remain
    t.ok((await one<{ n: number }>(db, left)).n >= 1)
    await db.execute(sql`update people set role = 'admin' where role = 'owner' and id <> ${ids.ada}`)
    await db.execute(sql`update people set role = 'owner', deactivated_at = null where id = ${ids.ada}`)
    await db.execute(sql`delete from sign_in_failures`)
  }
})

t.test('S22: the last owner stays, even with a hundred simultaneous demotions', async t => {
  const owners = [ids.ada, ...(await Promise.all([0, 1, 2, 3].map(n => addUser(db, `owner${n}`, 'owner'))))]
  const ada = await browser('ada')
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => ada.post(`/people/${owners[index % 5]}/role`, { role: 'member' }))
  )
  t.same(
    [...new Set(answers.map(({ statusCode }) => statusCode))].filter(code => ![303, 401, 403, 409, 422].includes(code)),
    []
  )
  const left = sql`select count(*)::int as n from people where role = 'owner' and deactivated_at is null`
  t.ok((await one<{ n: number }>(db, left)).n >= 1)
  await db.execute(sql`update people set role = 'admin' where role = 'owner' and id <> ${ids.ada}`)
  await db.execute(sql`update people set role = 'owner' where id = ${ids.ada}`)
})

t.test('S22: the page tells the last owner what to do first', async t => {
  const ada = await browser('ada')
  for (const [act, fields] of [
    ['deactivation', {}],
    ['role', { role: 'member' }]
  ] as const) {
    const answer = await ada.post(`/people/${ids.ada}/${act}`, fields)
    t.equal(answer.statusCode, 422)
    t.match(answer.body, 'You’re the only owner. Make someone else an owner first.')
    t.match(answer.body, 'id="role"', 'the form is there to try again')
  }
  const other = await addUser(db, 'second', 'owner')
  const olga = await browser()
  await olga.post('/sign-in', { email: 'second@larkfield.example', password: goodPassword })
  t.equal((await ada.post(`/people/${ids.ada}/role`, { role: 'member' })).statusCode, 303)
  t.match((await olga.post(`/people/${other}/role`, { role: 'member' })).body, 'You’re the only owner')
  await db.execute(sql`update people set role = 'owner' where id = ${ids.ada}`)
})

t.test('Deactivate and Revoke ask first, and users are not offered to deactivate themselves', async t => {
  const { personId, invitationId } = await inviteOne(db, ids.ben, 'asked@larkfield.example')
  const invited = (await ben.get(`/people/${personId}`)).body
  t.match(invited, /popovertarget="revocation">[\s\S]{0,200}Revoke invitation…\s*<\/button>/)
  t.match(invited, 'The link for asked@larkfield.example stops working.')
  t.match(invited, new RegExp(`id="revocation"\\s+popover[^]*action="/invitations/${invitationId}/revocation"`))
  const user = (await ben.get(`/people/${ids.dan}`)).body
  t.match(user, new RegExp(`id="deactivation"\\s+popover[^]*action="/people/${ids.dan}/deactivation"`))
  t.match(user, 'Deactivate Dan?')
  const own = await browser('ada')
  t.notMatch((await own.get(`/people/${ids.ada}`)).body, '/deactivation')
})

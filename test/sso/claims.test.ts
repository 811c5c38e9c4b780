/** Teams from the provider's groups claim. */
import t from 'tap'
import { inviteOne, sql } from '../support/people.ts'
import { putInForce, startSso, verified } from '../support/sso.ts'

const sso = await startSso(t)
const { db, ids, provider, browser, come } = sso
const at = (name: string) => `${name}@larkfield.example`
const ben = await browser('ben')
const ada = await browser('ada')
for (const name of ['Nurses', 'Doctors', 'Owners', 'Unmapped']) await ben.post('/teams', { name })
const teamId = async (name: string) => {
  const [row] = await db.$client<{ id: number }[]>`select id from teams where name = ${name}`
  return row?.id ?? 0
}
const mapping = {
  groupsClaim: 'groups',
  teams: [
    { value: 'g-nurses', team: 'nurses' },
    { value: 'g-wards', team: 'Nurses' },
    { value: 'g-doctors', team: 'Doctors' },
    { value: 'owner', team: 'Owners' },
    { value: 'g-nowhere', team: 'A team that does not exist' }
  ]
}
await putInForce(db, provider, mapping)

const membershipsOf = async (name: string) => {
  const rows = await db.$client<{ text: string }[]>`
    select t.name || ' by ' || m.source as text from memberships m join teams t on t.id = m.team_id
    join people p on p.id = m.person_id where p.address_key = ${at(name)} order by 1`
  return rows.map(({ text }) => text)
}
const signIn = async (name: string, groups: unknown, more = {}) => {
  provider.signsIn(`sub-${name}`, verified(at(name), { ...(groups !== undefined && { groups }), ...more }))
  const { answer } = await come()
  t.equal(answer.statusCode, 303, answer.body)
}
const troubles = async () => {
  const rows = await db.$client<
    { why: string }[]
  >`select details->>'why' as why from events where kind = 'groups-claim-missing'`
  return rows.map(({ why }) => why)
}

t.test('mapped values only, several of one team count once, and a later claim takes back what it gave', async t => {
  await signIn('dan', [
    'g-nurses',
    'g-wards',
    'Unmapped',
    'unmapped',
    'g-nowhere',
    'G-DOCTORS',
    'constructor',
    '__proto__'
  ])
  t.same(await membershipsOf('dan'), ['Nurses by sign-in'])
  await signIn('dan', ['g-doctors'])
  t.same(await membershipsOf('dan'), ['Doctors by sign-in'])
  await signIn('dan', 'g-nurses')
  t.same(await membershipsOf('dan'), ['Nurses by sign-in'], 'a single text')
  await signIn('dan', [])
  t.same(await membershipsOf('dan'), [], 'an empty list says: none')
  t.match((await ada.get('/activity')).body, 'Dan’s teams changed at sign-in: 0 added, 1 removed')
  t.same(await troubles(), [])
})

t.test('memberships of other sources stay', async t => {
  await ben.post(`/teams/${await teamId('Doctors')}/members`, { email: at('dan') })
  await ben.post(`/teams/${await teamId('Unmapped')}/members`, { email: at('dan') })
  const [own] = await membershipsOf('dan')
  t.ok(own)
  await signIn('dan', ['g-doctors', 'g-nurses'])
  t.equal((await membershipsOf('dan')).length, 4)
  const byHand = (await membershipsOf('dan')).filter(each => !each.endsWith('sign-in'))
  await signIn('dan', [])
  t.same(await membershipsOf('dan'), byHand)
  await db.execute(sql`delete from memberships where person_id = ${ids.dan}`)
})

const silences: [string, unknown, object, string, string][] = [
  ['absent', undefined, {}, 'did not send the claim “groups”', 'Add it to the ID token'],
  ['too-many', undefined, { _claim_names: { groups: 'src1' } }, 'left out the claim', 'assigned to Rollcall'],
  ['unreadable', [7], {}, 'could not be read', 'a list of texts'],
  ['unreadable', { a: 'g-nurses' }, {}, 'could not be read', 'a list of texts']
]
for (const [why, groups, more, heading, hint] of silences)
  t.test(`a claim that is ${why} changes nothing, and is reported once a day`, async t => {
    const other = await startSso(t)
    const cleo = await other.browser('cleo')
    await (await other.browser('ben')).post('/teams', { name: 'Nurses' })
    await putInForce(other.db, other.provider, mapping)
    const enter = async (claims: object) => {
      other.provider.signsIn('sub-dan', verified(at('dan'), { ...claims }))
      t.equal((await other.come()).answer.statusCode, 303)
    }
    await enter({ groups: ['g-nurses'] })
    t.notMatch((await cleo.get('/')).body, 'data-claim')
    const silent = { ...(groups !== undefined && { groups }), ...more }
    await enter(silent)
    await enter(silent)
    const kept = await other.db.$client`select source from memberships`
    t.same(kept, [{ source: 'sign-in' }])
    const found = await other.db.$client`select details->>'why' as why from events where kind = 'groups-claim-missing'`
    t.same(found, [{ why }], 'once')
    const { body } = await cleo.get('/')
    t.match(body, heading)
    t.match(body, hint)
    t.match((await cleo.get('/activity?kind=groups-claim-missing')).body, 'at a sign-in: teams stayed as they were')
  })

t.test('S22: no claim gives a role', async t => {
  const roleOf = async (name: string) => {
    const [row] = await db.$client<{ role: string }[]>`select role from people where address_key = ${at(name)}`
    return row?.role
  }
  await inviteOne(db, ids.ben, at('climber'))
  const claims = { role: 'owner', roles: ['owner'], 'rollcall:role': 'admin', admin: true, is_owner: 'true' }
  await signIn('climber', ['owner', 'admin', 'g-doctors'], claims)
  t.equal(await roleOf('climber'), 'member')
  t.same(await membershipsOf('climber'), ['Doctors by sign-in', 'Owners by sign-in'])
  await signIn('dan', ['owner'], claims)
  t.equal(await roleOf('dan'), 'member')
})

t.test('without a mapping, a claim does nothing', async t => {
  await putInForce(db, provider, { groupsClaim: 'groups', teams: [] })
  const before = await troubles()
  await signIn('cleo', ['g-nurses'])
  await signIn('cleo', undefined)
  t.same(await membershipsOf('cleo'), [])
  t.same(await troubles(), before)
})

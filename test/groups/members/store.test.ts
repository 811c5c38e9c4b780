import t, { type Test } from 'tap'
import { transaction } from '../../../src/db/client.ts'
import { sharesOf } from '../../../src/groups/members/shares-store.ts'
import { countMembers, listMembers } from '../../../src/groups/members/store.ts'
import { compactTeamCounts, refreshMembers } from '../../../src/teams/upkeep-store.ts'
import { startApp } from '../../support/app.ts'
import { addGroup, addMembers } from '../../support/groups.ts'
import { expire, invite, sql } from '../../support/people.ts'

const { db, ids, work, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`

const { teamId, people } = await addGroup(db, 'Engineering', [
  { email: at('nora'), name: 'Nora Lind', department: 'Platform', title: 'Engineer' },
  { email: at('osk'), name: 'Oskar Öberg', department: 'Platform', title: 'Lead' },
  { email: at('ann'), name: 'Émile Ann', department: 'Platform' },
  { email: at('zoe'), name: 'Zoé 100%', department: 'data', title: 'Engineer' },
  { email: at('tom'), name: null as never }
])
const team = (name: string) => countMembers(db, teamId, name as 'department', {})

t.test('sections are sorted by name, the one without a name last, each with its people', async t => {
  const { sections, matching, sectionCount } = await team('department')
  t.same(
    sections.map(({ key, people }) => [key, people]),
    [
      ['data', 1],
      ['Platform', 3],
      ['(none)', 1]
    ]
  )
  t.same([matching, sectionCount], [5, 3])
})

t.test('people are sorted by name without regard to accents, a page at a time', async t => {
  const read = (after: number | null, limit: number) =>
    listMembers(db, teamId, 'department', {}, [{ key: 'Platform', after }], limit)
  t.same(
    (await read(null, 9)).map(({ name }) => name),
    ['Émile Ann', 'Nora Lind', 'Oskar Öberg']
  )
  t.same(
    (await read(people.ann!, 1)).map(({ name }) => name),
    ['Nora Lind']
  )
  t.same(
    (await read(987654321, 1)).map(({ name }) => name),
    ['Émile Ann'],
    'after a deleted person: from the start'
  )
})

t.test('search is literal, in name, address and title, and ignores case', async t => {
  const found = async (q: string) => (await countMembers(db, teamId, 'department', { q })).matching
  t.equal(await found('ENGINEER'), 2)
  t.equal(await found('zoé'), 1)
  t.equal(await found('0%'), 1)
  t.equal(await found('_o_a'), 0)
  t.equal(await found('tom@'), 1)
})

t.test('enrollment and emails are tracked, and counted by state and section', async t => {
  await invite(db, ids.ben, at('nora'), at('osk'))
  await work()
  await expire(db, people.osk!)
  const { states, sections } = await countMembers(db, teamId, 'status', {})
  t.same(states, { 'not-invited': 3, invited: 1, expired: 1 })
  t.same(
    sections.map(({ key, people }) => [key, people]),
    [
      ['expired', 1],
      ['invited', 1],
      ['not-invited', 3]
    ]
  )
  const platform = (await team('department')).sections[1]
  t.match(platform, { key: 'Platform', people: 3, notInvited: 1 })
  const filtered = await countMembers(db, teamId, 'department', { enrollment: 'invited', delivery: 'sent' })
  t.same([filtered.matching, filtered.sections.length], [1, 1])
  const [row] = await listMembers(db, teamId, 'status', {}, [{ key: 'expired', after: null }], 9)
  t.match(row, { id: people.osk, enrollment: 'expired', delivery: 'sent', isSelected: false })
  await isKept(t)
})

t.test('a person who changes department, name or title moves', async t => {
  await db.execute(
    sql`update people set department = ' Field ', name = 'Aaron', title = 'Boss' where id = ${people.tom!}`
  )
  const { sections } = await team('department')
  t.same(
    sections.map(({ key }) => key),
    ['data', 'Field', 'Platform']
  )
  t.equal((await countMembers(db, teamId, 'title', { q: 'boss' })).sections[0]?.key, 'Boss')
})

t.test('people who are in the team for another reason are not in the group', async t => {
  await db.execute(sql`insert into memberships (team_id, person_id, source) values (${teamId}, ${ids.dan}, 'hand')`)
  t.equal((await team('department')).matching, 5)
  await db.execute(
    sql`insert into memberships (team_id, person_id, source) values (${teamId}, ${people.nora!}, 'hand')`
  )
  await db.execute(
    sql`delete from memberships where team_id = ${teamId} and source = 'directory' and person_id in (${people.nora!}, ${people.zoe!})`
  )
  t.equal((await team('department')).matching, 3)
  await isKept(t)
  await addMembers(db, teamId, [{ email: at('nora'), department: 'Platform' }])
  t.equal((await team('department')).matching, 4)
  await isKept(t)
})

t.test('shares are sums that are updated when something is added', async t => {
  const before = await sharesOf(db, [teamId])
  await transaction(db, compactTeamCounts)
  t.same(await sharesOf(db, [teamId]), before)
  t.match(before.get(teamId), { people: 4, waiting: 1, signedUp: 0 })
  const rows = await db.execute(sql`select from team_counts where not is_sum`)
  t.equal(rows.length, 0)
})

t.test('rows missed by a concurrent change are found later', async t => {
  await db.execute(sql`update team_members set stage = 'revoked' where person_id = ${people.osk!}`)
  t.equal(await refreshMembers(db), 1)
  t.equal(await refreshMembers(db), 0)
  await isKept(t)
})

/** The rows and sums agree with the memberships. */
async function isKept(t: Test) {
  const off = await db.execute(sql`
    with real as (
      select m.team_id, m.person_id, bool_or(m.source = 'directory'), p.stage, p.delivery
      from memberships m join people p on p.id = m.person_id group by 1, 2, 4, 5
    ), kept as (select team_id, person_id, in_directory, stage, delivery from team_members)
    (table real except table kept) union all (table kept except table real)`)
  t.same([...off], [], 'a row a person')
  const sums = await db.execute(sql`
    with real as (
      select team_id, stage, case when stage = 'invited' then expires_at end, count(*) as n
      from team_members where in_directory group by 1, 2, 3
    ), kept as (select team_id, stage, expires_at, sum(people) as n from team_counts group by 1, 2, 3 having sum(people) <> 0)
    (table real except table kept) union all (table kept except table real)`)
  t.same([...sums], [], 'and the sums')
}

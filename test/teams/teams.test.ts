import t from 'tap'
import { transaction } from '../../src/db/client.ts'
import { listMembers } from '../../src/teams/members-store.ts'
import { addByHand, takeOutByHand } from '../../src/teams/revise-members.ts'
import { createTeam, removeTeam, renameTeam } from '../../src/teams/revise-team.ts'
import { findTeam, listTeams, lockTeam, membershipsOf } from '../../src/teams/store.ts'
import { goodPassword, startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { multipart } from '../support/multipart.ts'
import { linkOf, one, sql } from '../support/people.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids, browser, work } = app
const { keep, read } = await startSyncing(app)
const ben = await browser('ben')
const make = async (name: string) => {
  const result = await createTeam(db, ids.ben, name)
  if (result.outcome !== 'done') throw new Error(result.outcome)
  return result.teamId
}
const idOf = async (name: string) =>
  (await one<{ id: number }>(db, sql`select id from people where address_key = ${`${name}@larkfield.example`}`)).id
const reasons = async (teamId: number) =>
  (await listMembers(db, teamId, '', 100)).map(({ email, sources }) => `${email.split('@')[0]}: ${sources.join(', ')}`)

t.test('a team created by hand has a unique name, can be renamed, and can be deleted', async t => {
  const teamId = await make('  Night   shift ')
  t.match(await findTeam(db, teamId), { name: 'Night shift', source: 'hand', memberCount: 0, groupId: null })
  t.same(await createTeam(db, ids.ben, 'night SHIFT'), {
    outcome: 'refused',
    problem: 'A team with that name already exists.'
  })
  t.match(await createTeam(db, ids.ben, ' '), { outcome: 'refused' })
  const other = await make('Day shift')
  t.same(await renameTeam(db, ids.ben, other, 'Night Shift'), {
    outcome: 'refused',
    problem: 'A team with that name already exists.'
  })
  t.same(await renameTeam(db, ids.ben, other, 'Early shift'), { outcome: 'done', teamId: other })
  t.same(
    (await listTeams(db, 'SHIFT', 10)).map(({ name }) => name),
    ['Early shift', 'Night shift']
  )
  t.same(await removeTeam(db, ids.ben, teamId), { outcome: 'done', teamId })
  t.equal(await findTeam(db, teamId), undefined)
  t.same(await removeTeam(db, ids.ben, teamId), { outcome: 'unknown' })
  t.equal(typeof (await make('Night shift')), 'number', 'the name is free again')
  const kinds = await db.execute<{ kind: string }>(sql`select kind from events where kind like 'team-%' order by id`)
  t.same(
    kinds.map(({ kind }) => kind),
    ['team-created', 'team-created', 'team-renamed', 'team-removed', 'team-created']
  )
})

t.test('people can be added and removed by hand, each counted once', async t => {
  const teamId = await make('By hand')
  t.same(await addByHand(db, ids.ben, teamId, 'dan@larkfield.example'), { outcome: 'done', personId: ids.dan })
  t.match(await addByHand(db, ids.ben, teamId, 'Dan@larkfield.example'), { outcome: 'refused' })
  t.match(await addByHand(db, ids.ben, teamId, 'nobody@larkfield.example'), { outcome: 'refused' })
  t.same(await addByHand(db, ids.ben, 987654321, 'dan@larkfield.example'), { outcome: 'unknown' })
  t.match(await findTeam(db, teamId), { memberCount: 1 })
  t.match(await takeOutByHand(db, ids.ben, teamId, ids.dan), { outcome: 'done' })
  t.match(await takeOutByHand(db, ids.ben, teamId, ids.dan), { outcome: 'refused' })
  t.match(await findTeam(db, teamId), { memberCount: 0 })
})

t.test('a membership keeps every reason: a sync or an admin removes only their own', async t => {
  await keep('mixed', [entry('anna'), entry('bert'), entry('cora')], 'Mixed')
  const { teamId } = await one<{ teamId: number }>(
    db,
    sql`select team_id from directory_groups where directory_id = 'mixed'`
  )
  await addByHand(db, ids.ben, teamId, 'anna@larkfield.example')
  await addByHand(db, ids.ben, teamId, 'dan@larkfield.example')
  t.same(await reasons(teamId), ['anna: directory, hand', 'bert: directory', 'cora: directory', 'dan: hand'])
  t.match(await findTeam(db, teamId), { memberCount: 4 })
  await read('mixed', [entry('cora')])
  t.same(await reasons(teamId), ['anna: hand', 'cora: directory', 'dan: hand'])
  t.match(await findTeam(db, teamId), { memberCount: 3 })
  t.match(await takeOutByHand(db, ids.ben, teamId, await idOf('cora')), { outcome: 'refused' })
  t.same(await renameTeam(db, ids.ben, teamId, 'Other'), { outcome: 'from-directory' })
  t.same(await removeTeam(db, ids.ben, teamId), { outcome: 'from-directory' })
  t.match(await membershipsOf(db, await idOf('anna')), [{ team: 'Mixed', source: 'hand' }])
})

t.test('invitations may name teams: people who accept join these, and not before', async t => {
  const teamId = await make('Newcomers')
  const answer = await ben.post('/invite', { email: ['eve.new@larkfield.example', '', '', '', ''], team: 'newcomers' })
  t.equal(answer.statusCode, 303)
  const form = multipart(
    { action: 'send', team: String(teamId) },
    { name: 'list.txt', content: 'finn@larkfield.example\n' }
  )
  t.equal((await ben.upload('/bulk', form)).statusCode, 303)
  await work()
  t.same(await reasons(teamId), [])
  for (const name of ['eve.new', 'finn']) {
    const { token } = await linkOf(db, `${name}@larkfield.example`)
    const visitor = await browser()
    t.equal((await visitor.post(`/join/${token}`, { name, password: goodPassword })).statusCode, 303)
    t.match((await visitor.get('/me')).body, 'Newcomers')
  }
  t.same(await reasons(teamId), ['eve.new: invitation', 'finn: invitation'])
  t.match(await findTeam(db, teamId), { memberCount: 2 })
  t.match((await ben.get(`/people/${await idOf('finn')}`)).body, 'Joined by an invitation for this team')
  t.match(await takeOutByHand(db, ids.ben, teamId, await idOf('finn')), { outcome: 'done' })
})

t.test('an unknown team is an error beside its field, and no one is invited', async t => {
  const before = await one(db, sql`select count(*) as n from batches`)
  for (const team of ['Nobody’s', '987654321']) {
    const page = await ben.post('/invite', { email: ['gus@larkfield.example', '', '', '', ''], team })
    t.equal(page.statusCode, 422)
    t.match(page.body, 'There is no such team.')
    t.match(page.body, 'gus@larkfield.example')
  }
  const form = multipart({ action: 'send', team: 'Nobody’s' }, { name: 'list.txt', content: 'gus@larkfield.example\n' })
  t.match((await ben.upload('/bulk', form)).body, 'There is no such team.')
  t.same(await one(db, sql`select count(*) as n from batches`), before)
})

t.test('corrected lines are for the teams of their batch', async t => {
  const teamId = await make('Corrected')
  const form = multipart(
    { action: 'send', team: 'Corrected' },
    { name: 'list.txt', content: 'hugo@larkfeld.example\n' }
  )
  const batch = (await ben.upload('/bulk', form)).headers.location!
  await work()
  const sent = await ben.post(`${batch}/corrections`, { line: '1', 'address-1': 'hugo@larkfield.example' })
  t.equal(sent.statusCode, 303)
  const visitor = await browser()
  const { token } = await linkOf(db, 'hugo@larkfield.example')
  await visitor.post(`/join/${token}`, { name: 'Hugo', password: goodPassword })
  t.same(await reasons(teamId), ['hugo: invitation'])
})

t.test('a person who joins while their team is synced waits for the sync, and both complete', async t => {
  const teamId = await make('Waiting')
  await ben.post('/invite', { email: 'wanda@larkfield.example', team: String(teamId) })
  const { token, personId } = await linkOf(db, 'wanda@larkfield.example')
  const nobody = await browser()
  let joining: ReturnType<typeof nobody.post> | undefined
  await transaction(db, async tx => {
    await lockTeam(tx, teamId)
    joining = nobody.post(`/join/${token}`, { name: 'Wanda', password: goodPassword })
    const isWaiting = sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    while ((await db.execute(isWaiting)).length === 0);
    await tx.execute(sql`update people set title = 'Sailor' where id = ${personId}`)
  })
  t.equal((await joining!).statusCode, 303)
  t.same(await reasons(teamId), ['wanda: invitation'])
})

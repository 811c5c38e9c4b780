import t from 'tap'
import { startApp } from '../support/app.ts'
import { eventsSince, lastEvent } from '../support/batches.ts'
import { addGroup } from '../support/groups.ts'
import { one, sql } from '../support/people.ts'

const { db, browser, ids, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`
const many = Array.from({ length: 60 }, (_, index) => ({ email: at(`p${index}`), name: `Person ${100 + index}` }))
const group = await addGroup(db, 'Engineering', many)
const [ben, cleo] = [await browser('ben'), await browser('cleo')]
const rowsOf = (page: string) => page.match(/<tr data-enrollment/g)?.length ?? 0

/** Creates a team and returns its id. */
async function make(name: string): Promise<number> {
  const { headers } = await ben.post('/teams', { name })
  return Number(/^\/teams\/(\d+)$/.exec(headers.location!)![1])
}

t.test('a team can be created, renamed and deleted by hand, each an event', async t => {
  const event = await lastEvent(db)
  const id = await make('  Book   club ')
  t.match((await ben.get(`/teams/${id}`)).body, /<h1>Book club<\/h1>/)
  t.equal((await ben.post(`/teams/${id}/name`, { name: 'Chess club' })).statusCode, 303)
  t.match((await cleo.get('/teams?q=CHESS')).body, /Chess club/)
  t.match(await ben.post(`/teams/${id}/removal`), { statusCode: 303, headers: { location: '/teams' } })
  t.equal((await ben.get(`/teams/${id}`)).statusCode, 404)
  t.same(await eventsSince(db, event), ['team-created', 'team-renamed', 'team-removed'])
})

t.test('a person’s page says why they are in each team', async t => {
  const person = group.people.p7!
  const id = await make('Climbing')
  await db.execute(
    sql`insert into memberships (team_id, person_id, source) values (${id}, ${person}, 'hand'), (${id}, ${person}, 'invitation')`
  )
  const { body } = await cleo.get(`/people/${person}`)
  const [, climbing] = /Climbing<\/a><\/dt>\s*<dd>([\s\S]*?)<\/dd>/.exec(body)!
  const [, engineering] = /Engineering<\/a><\/dt>\s*<dd>([\s\S]*?)<\/dd>/.exec(body)!
  t.equal(climbing!.match(/, since /g)?.length, 2, 'each reason')
  t.match(climbing, /by hand/i)
  t.match(climbing, /invitation/i)
  t.match(engineering, /directory/i)
})

t.test('an invalid or used name is refused, and the input stays', async t => {
  const id = await make('Sailing')
  for (const name of ['', '   ', 'x'.repeat(201), 'SAILING']) {
    const answer = await ben.post('/teams', { name })
    t.equal(answer.statusCode, 422, name.slice(0, 9))
    t.match(answer.body, /aria-invalid="true"/)
  }
  t.match(
    (await ben.post('/teams', { name: 'SAILING' })).body,
    /value="SAILING"[\s\S]*A team with that name already exists/
  )
  const other = await make('Rowing')
  t.equal((await ben.post(`/teams/${other}/name`, { name: 'sailing' })).statusCode, 422)
  t.equal((await ben.post(`/teams/${id}/name`, { name: 'SAILING' })).statusCode, 303, 'its own name in another case')
})

t.test('people can be added by hand, once, and removed', async t => {
  const id = await make('Hikers')
  t.equal((await ben.post(`/teams/${id}/members`, { email: ` ${at('dan').toUpperCase()} ` })).statusCode, 303)
  const page = (await cleo.get(`/teams/${id}`)).body
  t.match(page, /1 person[\s\S]*Dan[\s\S]*by hand/)
  t.notMatch(page, /Remove Dan from the team/, 'an auditor only looks')
  for (const email of [at('dan'), at('nobody'), 'no address', ''])
    t.equal((await ben.post(`/teams/${id}/members`, { email })).statusCode, 422, email)
  t.equal((await ben.post(`/teams/${id}/members/${ids.dan}/removal`)).statusCode, 303)
  t.match((await ben.get(`/teams/${id}`)).body, /This team has no members yet/)
  t.equal((await ben.post(`/teams/${id}/members/${ids.dan}/removal`)).statusCode, 409)
})

t.test('a directory group’s team accepts people by hand, and keeps the directory’s members', async t => {
  const base = `/teams/${group.teamId}`
  t.match((await ben.get(base)).body, new RegExp(`href="/groups/${group.id}"`))
  t.equal((await ben.post(`${base}/members`, { email: at('p1') })).statusCode, 303)
  t.match((await ben.get(`${base}?q=p1%40`)).body, /from the directory, by hand/)
  t.equal((await ben.post(`${base}/members/${group.people.p1}/removal`)).statusCode, 303)
  t.equal((await ben.post(`${base}/members/${group.people.p1}/removal`)).statusCode, 409)
  t.equal((await ben.post(`${base}/removal`)).statusCode, 409)
  t.equal((await ben.post(`${base}/name`, { name: 'Mine' })).statusCode, 409)
  const { n } = await one<{ n: number }>(db, sql`select member_count as n from teams where id = ${group.teamId}`)
  t.equal(n, 60)
})

t.test('people can be searched and paged by name', async t => {
  const first = (await ben.get(`/teams/${group.teamId}`)).body
  t.equal(rowsOf(first), 50)
  const next = /href="(\/teams\/\d+\?after=\d+)"/.exec(first)![1]!
  const last = (await ben.get(next)).body
  t.equal(rowsOf(last), 10)
  t.notMatch(last, /role="status">10 people/, 'a page is not the team')
  t.equal(rowsOf((await ben.get(`/teams/${group.teamId}?q=person+11`)).body), 10)
  t.match((await ben.get(`/teams/${group.teamId}?q=__`)).body, /No members match/)
  const part = await ben.get(`/teams/${group.teamId}?q=person`, { 'hx-request': 'true', 'hx-request-type': 'partial' })
  t.notMatch(part.body, /<html/)
})

t.test('members.csv has everyone with their reasons', async t => {
  const { body, headers } = await cleo.get(`/teams/${group.teamId}/members.csv`)
  t.match(headers['content-disposition'], `team-${group.teamId}.csv`)
  const lines = body.split('\r\n')
  t.equal(lines[0], '\uFEFFname,address,enrollment,delivery,sources,since')
  t.match(lines[1], /^Person 100,p0@larkfield\.example,not-invited,,directory,20/)
  t.equal(lines.length, 62)
})

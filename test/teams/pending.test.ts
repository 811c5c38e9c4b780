/** The team of an invitation is shown before anyone joins: on the batch, the person and the team. */
import t from 'tap'
import { goodPassword, startApp } from '../support/app.ts'
import { expire, linkOf, sql } from '../support/people.ts'

const { db, ids, browser, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
const at = (name: string) => `${name}@larkfield.example`
const [team] = await db.execute<{ id: number }>(
  sql`insert into teams (name, source, created_by) values ('Welcome <crew>', 'hand', ${ids.ben}) returning id`
)
const waiting = (body: string) => Number(/data-count="waiting" data-value="(\d+)"/.exec(body)?.[1] ?? 0)
const rows = (body: string) => (body.match(/<tr data-pending>/g) ?? []).length

t.test('batch, person and team show which team an invited person joins', async t => {
  const answer = await ben.post('/invite', { email: [at('nora'), at('tom')], team: String(team!.id) })
  t.match((await ben.get(answer.headers.location!)).body, /Joins\s+<a href="\/teams\/\d+">Welcome &lt;crew&gt;<\/a>/)
  const nora = await linkOf(db, at('nora'))
  const tom = await linkOf(db, at('tom'))
  t.match(
    (await ben.get(`/people/${nora.personId}`)).body,
    /Welcome &lt;crew&gt;<\/a><\/dt>\s*<dd>Joins when the invitation is accepted/
  )
  const page = (await ben.get(`/teams/${team!.id}`)).body
  t.same([waiting(page), rows(page)], [2, 2])
  t.match(page, '0 people')
  t.equal(
    (await (await browser()).post(`/join/${nora.token}`, { name: 'Nora', password: goodPassword })).statusCode,
    303
  )
  await expire(db, tom.personId)
  const after = (await ben.get(`/teams/${team!.id}`)).body
  t.same([waiting(after), rows(after)], [0, 0], 'joined, and expired')
  t.match(after, '1 person')
  t.notMatch((await ben.get(`/people/${tom.personId}`)).body, 'Joins when')
})

t.test('pending members are counted and read page by page, each once', async t => {
  await db.execute(sql`
    with b as (insert into batches (source, state, action, created_by) values ('file', 'done', 'send', ${ids.ben}) returning id),
    named as (insert into batch_teams (batch_id, team_id) select id, ${team!.id} from b),
    p as (
      insert into people (email, address_key, invitation_id, invited_at, invitation_expires_at)
      select 'many' || n || '@larkfield.example', 'many' || n || '@larkfield.example', 1000000 + n, now(), now() + interval '14 days'
      from generate_series(1, 120) n returning id, email, invitation_id
    ), i as (
      insert into invitations (id, person_id, batch_id, invited_by, expires_at)
      select p.invitation_id, p.id, b.id, ${ids.ben}, now() + interval '14 days' from p, b returning id
    )
    insert into deliveries (person_id, invitation_id, batch_id, address, state)
    select p.id, p.invitation_id, b.id, p.email, 'sent' from p, b`)
  const seen = new Set<string>()
  let url: string | undefined = `/teams/${team!.id}`
  for (let page = 0; url && page < 10; page += 1) {
    const { body }: { body: string } = await ben.get(url)
    t.equal(waiting(body), 120)
    for (const [, address] of body.matchAll(/(many\d+@larkfield\.example)/g)) seen.add(address!)
    url = /href="(\/teams\/\d+\?waiting=\d+)#waiting-t" rel="next"/.exec(body)?.[1]
  }
  t.equal(seen.size, 120)
})

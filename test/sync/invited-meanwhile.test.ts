/** A list is invited at the same time as a sync adds the same people: neither may fail, and no one is forgotten. */
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { inviteTyped } from '../../src/batches/intake/invite-typed.ts'
import { classifyNext } from '../../src/batches/judging/classify.ts'
import { organizationDomains } from '../../src/batches/recipient.ts'
import { syncNext } from '../../src/sync/sync-due.ts'
import { domains, startApp } from '../support/app.ts'
import { batchOf, countsOf, upload } from '../support/batches.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { randomFrom } from '../support/lists.ts'
import { one, sql } from '../support/people.ts'
import { connectAgain } from '../support/workers.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids, browser } = app
const { keep, members, lastRun, directory, deps } = await startSyncing(app)
const ben = await browser('ben')
const random = randomFrom(11)
const rounds = 12
const peopleInRound = 600

const shuffled = <T>(list: T[]): T[] =>
  list
    .map(each => ({ each, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ each }) => each)

/** The same names in every round of the second kind: already known, with an expired invitation and another title. */
const namesOf = (round: number) =>
  Array.from({ length: peopleInRound }, (_, index) => `r${round % 2 ? 'known' : round}-${index}`)

t.test('S3, R11: a concurrent sync and list with the same people both complete', async t => {
  await keep('everybody', [entry('first')])
  const judging = await connectAgain(db)
  const typing = await connectAgain(db)
  t.teardown(() => Promise.all([judging.$client.end(), typing.$client.end()]))
  for (let round = 0; round < rounds; round += 1) {
    const names = namesOf(round)
    const list = await upload(ben, shuffled(names.map(name => `${name}@larkfield.example`)))
    await db.execute(sql`update invitations set expires_at = now() - interval '1 second' where accepted_at is null`)
    await db.execute(
      sql`update people set invitation_expires_at = now() - interval '1 second' where invitation_id is not null`
    )
    const people = shuffled(names).map(name => entry(name, { title: `Title ${round}` }))
    directory.groups.get('everybody')!.people = people
    await db.execute(sql`update directory_groups set next_run_at = now()`)
    const typed = [
      `typed${round}@larkfield.example`,
      ...shuffled(names)
        .slice(0, 4)
        .map(name => `${name}@larkfield.example`)
    ]
    let isRead = () => {}
    const read = new Promise<void>(resolve => {
      isRead = resolve
    })
    directory.groups.get('everybody')!.onSet = isRead
    const later = async (work: () => Promise<unknown>) => {
      await read
      await pause(random() * 120)
      await work()
    }
    const outcomes = await Promise.allSettled([
      syncNext(deps),
      later(async () => {
        while (await classifyNext(judging));
      }),
      later(() => inviteTyped(typing, ids.ben, typed, organizationDomains(domains)))
    ])
    t.same(
      outcomes.flatMap(each => (each.status === 'rejected' ? [String(each.reason?.cause ?? each.reason)] : [])),
      [],
      `round ${round}`
    )
    t.match(await lastRun('everybody'), { state: /done|parked/ })
    t.equal((await batchOf(db, list)).state, 'sending')
    const { lines, mails } = await countsOf(db, list)
    t.equal(lines.invite, mails.queued, 'every line that is to be invited has its mail')
    t.equal((lines.invite ?? 0) + (lines.pending ?? 0), peopleInRound)
    const { id: last } = await one<{ id: number }>(db, sql`select max(id) as id from batches`)
    const other = await countsOf(db, last)
    t.equal(other.lines.invite, other.mails.queued, 'typed ones too')
    const all = new Set(await members('everybody'))
    t.equal(names.filter(name => !all.has(`${name} directory`)).length, 0)
    const { n } = await one<{ n: number }>(
      db,
      sql`select count(*) as n from people where address_key like ${`${names[0]!.split('-')[0]}-%`} and directory_id is null`
    )
    t.equal(n, 0, 'and each is one person')
  }
})

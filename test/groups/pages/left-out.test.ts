/** Item 7: every member outside the team is counted with the reason, on the group's page, in the list and on the run. */
import t from 'tap'
import type { SyncReceipt } from '../../../src/db/schema.ts'
import { countLeftOut, emptyInWords, membersInWords } from '../../../src/sync/left-out.ts'
import { startApp } from '../../support/app.ts'
import { entry, startSyncing } from '../../support/directory.ts'

const app = await startApp()
t.teardown(app.close)
const { keep, read, directory, lastRun } = await startSyncing(app)
const cleo = await app.browser('cleo')

const none = { listed: 0, ranges: 1, resolved: 0, nestedGroups: 0, cyclesCut: 0, dangling: 0, foreignBase: 0 }
const noFaults = { noMail: 0, malformed: 0, doubled: 0, taken: 0, foreign: 0, disabled: 0, excluded: 0 }
const empty: SyncReceipt = { ...none, ...noFaults, contacts: 0, others: 0, strategy: '', before: 0, after: 0 }

t.test('zero, one and 100,000 members, with and without reasons', async t => {
  t.equal(membersInWords(empty), 'The directory lists no members.')
  t.equal(membersInWords({ ...empty, listed: 1, resolved: 1 }), 'The only member listed is in the team.')
  t.equal(
    membersInWords({ ...empty, listed: 100_000, resolved: 100_000 }),
    'All 100,000 members listed are in the team.'
  )
  t.equal(
    membersInWords({ ...empty, listed: 1, others: 1 }),
    'The directory lists 1 member: 0 in the team, 1 that is not a person or a followed group.'
  )
  const whole = {
    ...empty,
    listed: 100_010,
    resolved: 100_000,
    noMail: 1_000,
    dangling: 7,
    nestedGroups: 2,
    repeated: 1
  }
  t.equal(
    membersInWords(whole),
    'The directory lists 100,010 members: 99,000 in the team, 1,000 without an email address, 7 that no longer exist, 2 nested groups, 1 listed more than once.'
  )
  t.match(emptyInWords({ ...empty, listed: 11, others: 11 }), /11 that are not people.* Check the people filter/)
})

const people = [
  ...[entry('ann'), entry('bob', { isDisabled: true }), entry('far', { mail: 'far@elsewhere.example' })],
  ...[entry('silent', { mail: null }), entry('broken', { mail: 'no address' })],
  ...[entry('twin', { id: 'twin', mail: 'ANN@larkfield.example' }), entry('vip', { isExcluded: true })]
]
const counts = {
  dangling: 2,
  elsewhere: 1,
  others: 3,
  foreignBase: 1,
  principals: 1,
  contacts: 1,
  withoutId: 1,
  nestedGroups: 1,
  repeated: 1
}
const listed = people.length + 2 + 1 + 3 + 1 + 1 + 1 + 1 + 1

t.test('the head of the page, the list and the run agree, and the numbers add up', async t => {
  const id = await keep('staff', [], 'Staff')
  Object.assign(directory.groups.get('staff')!, { people, counts: { ...counts, listed } })
  await read('staff')
  const receipt = (await lastRun('staff')).receipt as unknown as SyncReceipt
  t.match(receipt, { people: 3, noMail: 1, malformed: 1, doubled: 1, excluded: 1, ...counts })
  t.equal(
    receipt.people! + countLeftOut(receipt) + receipt.nestedGroups + receipt.cyclesCut + receipt.repeated!,
    listed
  )
  const reasons =
    '1 without an email address, 1 with an address that cannot get email, 1 with the address of another member, 1 excluded in Settings, 1 without an ID, 3 that are not people or followed groups, 2 that no longer exist, 1 in another directory, 1 outside the search base, 1 from another forest'
  const page = (await cleo.get(`/groups/${id}`)).body
  t.match(page, `The directory lists 18 members: 3 in the team, ${reasons}, 1 nested group, 1 listed more than once.`)
  t.match(page, /href="#left-t"[^>]*>See who is left out/)
  t.match((await cleo.get('/groups')).body, `data-count="left-out" data-value="13">13 left out: ${reasons}<`)
  const run = (await cleo.get(`/groups/${id}/sync-runs/${(await lastRun('staff')).id}`)).body
  for (const words of ['1 in another directory', '1 from another forest', '1 without an ID', '1 listed more than once'])
    t.match(run, words)
})

t.test('the next run reports changes even if no one joined or left', async t => {
  directory.groups.get('staff')!.people = [entry('ann')]
  directory.groups.get('staff')!.counts = { listed: 1 }
  await read('staff')
  await read('staff')
  directory.groups.get('staff')!.counts = { listed: 3, dangling: 2 }
  t.match((await read('staff')).receipt, { dangling: 2, listed: 3 })
})

t.test('a group with no one in its team says why on its page', async t => {
  directory.groups.set('machines', { name: 'Machines', people: [] })
  const id = await keep('machines', [], 'Machines')
  t.match((await cleo.get(`/groups/${id}`)).body, /No one is in this group\. The directory lists no members\./)
  directory.groups.get('machines')!.counts = { listed: 11, others: 11 }
  await read('machines')
  t.match(
    (await cleo.get(`/groups/${id}`)).body,
    /No one is in this group\. The directory lists 11 members: 0 in the team, 11 that are not people or followed groups\. Check the people filter/
  )
})

import { Readable } from 'node:stream'
import t from 'tap'
import { writeSettingsRow } from '../../src/directory/settings-store.ts'
import { bindTo } from '../../src/entries/change-entry.ts'
import { relinkAll } from '../../src/entries/relink-all.ts'
import { keepSynced } from '../../src/groups/decisions/keep-synced.ts'
import { RoleLost } from '../../src/lib/role.ts'
import { addUser, type Fields, startApp } from '../support/app.ts'
import { entry, scriptDirectory } from '../support/directory.ts'
import { addGroup } from '../support/groups.ts'
import { inviteOne, sql } from '../support/people.ts'
import { forms, realRows, routesOf, writes } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const rollcall = await startApp()
const { app, db, config, ids, browser, close } = rollcall
t.teardown(close)

/** What a request's sender loses between being let in and acting. */
const losses = {
  role: (id: number) => sql`update people set role = 'member' where id = ${id}`,
  account: (id: number) => sql`update people set deactivated_at = now() where id = ${id}`
}
type Loss = keyof typeof losses
// after the hook that checks again when the body has arrived, as if the handler were waiting for a lock or a directory
app.addHook('preHandler', async ({ headers, viewer }) => {
  const loss = headers['x-loses'] as Loss | undefined
  if (loss) await db.execute(losses[loss](viewer!.id))
})
const giveBack = () =>
  db.execute(sql`
  update people set deactivated_at = null, role = case id when ${ids.ada} then 'owner' else 'admin' end
  where id in (${ids.ada}, ${ids.ben})`)

const rows = await realRows(rollcall)
const former = await addUser(db, 'former', 'member', { isDeactivated: true })
const { personId: moved } = await inviteOne(db, ids.ben, 'moved@larkfield.example')
const bound = await addUser(db, 'bound', 'member')
await db.execute(sql`update people set directory_id = 'entry-moved', directory_mail = 'new@larkfield.example',
  directory_mail_key = 'new@larkfield.example' where id = ${moved}`)
await db.execute(sql`update people set directory_id = 'entry-bound', directory_dn = 'uid=bound' where id = ${bound}`)
await db.execute(sql`insert into suppressions (address_key, cause) values ('bound@larkfield.example', 'opted-out')`)
const parked = await addGroup(db, 'Parked group', [{ email: 'parked@larkfield.example' }])
await db.execute(sql`update sync_runs set state = 'parked' where group_id = ${parked.id}`)
const undone = await addGroup(db, 'Undone group', [{ email: 'undone@larkfield.example' }])
await db.execute(sql`update sync_runs set removed = 1 where group_id = ${undone.id}`)
/** Removing a role and restoring it changes only the counts of people. */
const everything = async () => (await everyRow(db)).filter(row => !row.startsWith('people_counts '))
const runOf = async ({ id }: { id: number }) =>
  (await db.execute<{ id: number }>(sql`select id from sync_runs where group_id = ${id}`))[0]!.id
await writeSettingsRow(db, { url: 'ldap://127.0.0.1:3', baseDn: 'dc=larkfield,dc=example' })

/** Exceptions where the rows of `realRows` and the forms of the crawl do not suit the action. */
const insteadOf: Record<string, { url?: string; fields?: Fields }> = {
  '/invite': { fields: { email: 'typed@larkfield.example' } },
  '/teams': { fields: { name: 'Night shift' } },
  '/groups/leavers/approval': { fields: { until: '99999999999999999' } },
  '/groups/:id/sync-runs/:run/approval': { url: `/groups/${parked.id}/sync-runs/${await runOf(parked)}/approval` },
  '/groups/:id/sync-runs/:run/undo': { url: `/groups/${undone.id}/sync-runs/${await runOf(undone)}/undo` },
  '/people/:id/deactivation': { url: `/people/${bound}/deactivation` },
  '/people/:id/reactivation': { url: `/people/${former}/reactivation` },
  '/people/:id/mail-permission': { url: `/people/${bound}/mail-permission` },
  '/people/:id/address': { url: `/people/${moved}/address`, fields: { address: 'new@larkfield.example' } },
  '/people/:id/entry/removal': { url: `/people/${bound}/entry/removal` },
  '/settings/directory': { fields: { url: 'ldaps://ldap.larkfield.example', base_dn: 'dc=larkfield,dc=example' } },
  '/me/passkeys': { fields: { act: 'remove', id: '987654321' } },
  '/settings/mail/copy': { fields: { act: 'send' } }
}
/** Their handlers ask a directory before they act: see the test below. The others change nothing, or end a session. */
const elsewhere = ['/groups', '/people/:id/entry', '/groups/entries/approval', '/bulk']
const harmless = ['/invite/check', '/settings/directory/test', '/sign-out', '/me/sessions/:id/end']

const owned = writes(routesOf(app, rows)).filter(({ access }) => ['member', 'admin', 'owner'].includes(access))
const walked = owned.filter(({ pattern }) => ![...elsewhere, ...harmless].includes(pattern))

t.test('F6: an action whose sender lost the role after the request was accepted does nothing', async t => {
  const [ada, ben] = await Promise.all([browser('ada'), browser('ben')])
  await ben.post(`/groups/${rows.groups}/selections`, { section: 'Platform', by: 'department' })
  const [selection] = await db.execute<{ id: number }>(sql`select id from selections`)
  insteadOf['/groups/:id/invitations'] = { fields: { selection: String(selection!.id) } }
  t.ok(walked.length > 35, `${walked.length} acts`)
  for (const loss of ['role', 'account'] as const) {
    for (const { pattern, url, access } of walked) {
      if (loss === 'role' && access === 'member') continue
      // an admin's selection belongs to that admin only
      const sender = access === 'owner' ? ada : ben
      const before = await everything()
      const { url: at = url, fields = forms[pattern] ?? {} } = insteadOf[pattern] ?? {}
      const answer = await sender.post(at, fields, { 'x-loses': loss })
      await giveBack()
      t.equal(answer.statusCode, 403, `${loss}: ${pattern}`)
      t.same(await everything(), before, `${loss}: ${pattern} changed nothing`)
    }
  }
})

t.test('F6: an action that asks the directory first checks the role afterwards', async t => {
  const directory = scriptDirectory()
  directory.groups.set('late', { name: 'Late', people: [entry('lou')] })
  const { port } = directory
  const late = <T>(answer: Promise<T>) => answer.finally(() => db.execute(losses.role(ids.ada)))
  const deps = {
    ...{ db, secretKey: Buffer.alloc(32, 7), config: { ...config, ldapSignIn: true } },
    open: () => ({
      ...port,
      findGroups: (found: string[]) => late(port.findGroups(found)),
      findPeople: (found: string[]) => late(port.findPeople(found))
    })
  }
  const before = await everything()
  await t.rejects(keepSynced(deps, ids.ada, ['late']), new RoleLost())
  await giveBack()
  t.match(await bindTo(deps, ids.ada, bound, 'entry-lou', 'same'), { outcome: 'role-too-small' })
  t.match(await relinkAll(deps, ids.ada), { outcome: 'role-too-small' })
  await giveBack()
  t.same(await everything(), before)
})

t.test('F6: a list whose sender is demoted while it arrives is refused as a whole', async t => {
  const ben = await browser('ben')
  const before = (await everyRow(db)).filter(row => /^(batches|chunks|recipients|events) /.test(row))
  const part = (name: string, text: string) => `--b\r\nContent-Disposition: form-data; ${name}\r\n\r\n${text}\r\n`
  async function* arriving() {
    yield `${part('name="action"', 'send')}${part('name="file"; filename="list.txt"', 'one@larkfield.example\n').slice(0, -2)}`
    for (let waited = 0; waited < 200; waited += 1) {
      const [batch] = await db.execute(sql`select 1 from batches where state = 'receiving'`)
      if (batch) break
    }
    await db.execute(losses.role(ids.ben))
    yield 'two@larkfield.example\r\n--b--\r\n'
  }
  const headers = {
    ...{ host: 'localhost:3000', origin: 'http://localhost:3000', cookie: ben.cookie! },
    'content-type': 'multipart/form-data; boundary=b'
  }
  const answer = await app.inject({ method: 'POST', url: '/bulk', headers, payload: Readable.from(arriving()) })
  await giveBack()
  t.equal(answer.statusCode, 403)
  t.match(answer.body, 'Nothing was changed')
  t.same(
    (await everyRow(db)).filter(row => /^(batches|chunks|recipients|events) /.test(row)),
    before
  )
})

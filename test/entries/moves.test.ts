/** Addresses that move in the directory, and entries that take another person's address (cases 2, 4 and 5). */
import t from 'tap'
import { whoMoves } from '../../src/sync/steps/moves.ts'
import type { WantedAddress } from '../../src/sync/steps/moves-store.ts'
import { startApp } from '../support/app.ts'
import { changeDirectory, readCase, writable } from '../support/cases.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { environmentOf } from '../support/directory-site.ts'
import { invite, one, sql } from '../support/people.ts'
import { dnOf, group, person, startSlapd } from '../support/slapd.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids } = app
const { keep, read, members, changes, lastRun } = await startSyncing(app)
const at = (name: string) => `${name}@larkfield.example`
const addressOf = async (entryId: string) => {
  const row = await one<{ email: string; addressKey: string; directoryMail: string | null }>(
    db,
    sql`select email, address_key, directory_mail from people where directory_id = ${entryId}`
  )
  t.equal(row.addressKey, row.email.toLowerCase(), 'no trace of the step between')
  return [row.email, row.directoryMail].filter(Boolean).join(' / ').replaceAll('@larkfield.example', '')
}
const addressesOf = (...entries: string[]) => Promise.all(entries.map(addressOf))
/** Reads a group whose people have these addresses: `{ a: 'x1' }`, by entry. */
const people = (addresses: Record<string, string | null>) =>
  Object.entries(addresses).map(([id, name]) =>
    entry(id, { id, dn: `uid=${id},ou=People`, name: id, mail: name && at(name) })
  )

t.test('case 4: two people swap their addresses in the directory, and in Rollcall in one step', async t => {
  const slapd = await startSlapd({
    database: writable,
    entries: [
      person('anna', { mail: at('x1') }),
      person('ben', { mail: at('x2') }),
      group('Swap', [dnOf('anna'), dnOf('ben')])
    ]
  })
  const site = await startApp({ environment: environmentOf(slapd) })
  t.teardown(() => Promise.all([slapd.stop(), site.close()]))
  const browser = await site.browser('ben')
  const id = /value="([^"]+)"[^>]*name="group"|name="group"[^>]*value="([^"]+)"/.exec(
    (await browser.get('/groups?q=Swap')).body
  )!
  await browser.post('/groups', { group: (id[1] ?? id[2])! })
  await site.work()
  changeDirectory(slapd, readCase('mail-swap.ldif'))
  await site.db.execute(sql`update directory_groups set next_run_at = now()`)
  await site.work()
  t.same(await site.db.execute(sql`select directory_dn, email from people where directory_id is not null order by 1`), [
    { directoryDn: dnOf('anna'), email: at('x2') },
    { directoryDn: dnOf('ben'), email: at('x1') }
  ])
  const { id: run, groupId } = await one<{ id: number; groupId: number }>(
    site.db,
    sql`select id, group_id from sync_runs order by id desc limit 1`
  )
  const page = (await browser.get(`/groups/${groupId}/sync-runs/${run}`)).body
  t.match(page, '2 changed')
  t.match(page, `address: ${at('x1')} → ${at('x2')}`)
})

t.test('circles, chains and an address that a newcomer gets in the same run', async t => {
  await keep('ring', people({ r1: 'ra', r2: 'rb', r3: 'rc', r4: 'rd' }))
  t.match(await read('ring', people({ r1: 'rb', r2: 'rc', r3: 'ra', r4: 'rd' })), { changed: 3, addresses: 0 })
  t.same(await addressesOf('r1', 'r2', 'r3', 'r4'), ['rb', 'rc', 'ra', 'rd'])
  const run = await read('ring', people({ r1: 're', r2: 'rb', r3: 'rc', r4: 'rd', r5: 'ra' }))
  t.match(run, { changed: 3, added: 1, receipt: { taken: 0, otherAddress: 0 } })
  t.same(await addressesOf('r1', 'r2', 'r3', 'r4', 'r5'), ['re', 'rb', 'rc', 'rd', 'ra'])
  t.match(await read('ring'), { changed: 0, added: 0, addresses: 0 }, 'and then nothing is left to do')
})

t.test('a chain whose end stays moves no one, and shows the reason for each', async t => {
  await keep('chain', people({ c1: 'ca', c2: 'cb', c3: 'cc' }))
  await invite(db, ids.ben, at('cc'))
  const run = await read('chain', people({ c1: 'cb', c2: 'cc', c3: 'cd' }))
  t.match(run, { state: 'done', changed: 0, addresses: 3, receipt: { otherAddress: 3 } })
  t.same(await addressesOf('c1', 'c2', 'c3'), ['ca / cb', 'cb / cc', 'cc / cd'])
  const why = (from: string, to: string, reason: string) =>
    `address ${from}: ${at(from)} here, ${at(to)} in the directory: ${reason}`
  t.same(await changes(run.id), [
    why('ca', 'cb', 'c2 has that address here'),
    why('cb', 'cc', 'c3 has that address here'),
    why('cc', 'cd', 'the open invitation went to the one here')
  ])
  t.match(await read('chain'), { addresses: 0, receipt: { otherAddress: 3 } }, 'told once, counted as long as it is so')
  await db.execute(sql`update people set invitation_expires_at = now() - interval '1 second' where directory_id = 'c3'`)
  t.match(await read('chain'), { changed: 3, receipt: { otherAddress: 0 } })
  t.same(await addressesOf('c1', 'c2', 'c3'), ['cb', 'cc', 'cd'])
})

t.test('a swap across two groups works in either order of reading', async t => {
  await keep('left', people({ s1: 'sa', s3: 'sc' }))
  await keep('right', people({ s2: 'sb' }))
  t.match(await read('left', people({ s1: 'sb', s3: 'sc' })), { changed: 0, addresses: 1 })
  t.same(await addressesOf('s1', 's2'), ['sa / sb', 'sb'])
  const run = await read('right', people({ s2: 'sa' }))
  t.match(run, { changed: 2 })
  t.same(await addressesOf('s1', 's2'), ['sb', 'sa'])
})

t.test('an invited person in a swap keeps the address that was emailed, and so does the other', async t => {
  await keep('half', people({ h1: 'ha', h2: 'hb' }))
  await invite(db, ids.ben, at('ha'))
  t.match(await read('half', people({ h1: 'hb', h2: 'ha' })), { changed: 0, addresses: 2 })
  t.same(await addressesOf('h1', 'h2'), ['ha / hb', 'hb / ha'])
  t.match(await one(db, sql`select count(*) as n from people where address_key in (${at('ha')}, ${at('hb')})`), {
    n: 2
  })
})

t.test('an address that two entries get goes to neither; a disabled entry does not count', async t => {
  await keep('both', people({ b1: 'ba', b2: 'bb' }))
  t.match(await read('both', people({ b1: 'bz', b2: 'bz' })), { changed: 0, addresses: 2 })
  t.same(await addressesOf('b1', 'b2'), ['ba / bz', 'bb / bz'])
  const [b1, b2] = people({ b1: 'bz', b2: 'bz' })
  await read('both', [b1!, { ...b2!, isDisabled: true }])
  t.same(await addressesOf('b1', 'b2'), ['bz', 'bb / bz'])
})

t.test('an address that returns, is removed, or only changes its case is the same address', async t => {
  await keep('calm', people({ m1: 'ma', m2: 'mb', m3: 'mc' }))
  for (const name of ['ma', 'mb', 'mc']) await invite(db, ids.ben, at(name))
  await read('calm', people({ m1: 'mx', m2: 'my', m3: 'MC' }))
  t.same(await addressesOf('m1', 'm2', 'm3'), ['ma / mx', 'mb / my', 'mc'])
  await read('calm', people({ m1: 'ma', m2: null, m3: '  mc' }))
  t.same(await addressesOf('m1', 'm2', 'm3'), ['ma', 'mb', 'mc'])
})

t.test('case 2: a new entry with the name and address of a person who left is another person', async t => {
  await keep('left-2', people({ k1: 'kim', k3: 'kai' }))
  await db.execute(sql`update people set signed_up_at = now(), role = 'admin' where directory_id = 'k1'`)
  await read('left-2', people({ k3: 'kai' }))
  t.match(await one(db, sql`select gone_from_directory_at is not null as gone from people where directory_id = 'k1'`), {
    gone: true
  })
  const kim = { ...people({ k2: 'kim' })[0]!, name: 'k1' }
  const run = await read('left-2', [kim, ...people({ k3: 'kai' })])
  t.match(run, { added: 0, changed: 0, receipt: { taken: 1 } })
  t.same(await members('left-2'), ['kai directory'])
  t.match(await one(db, sql`select directory_id, role from people where address_key = ${at('kim')}`), {
    directoryId: 'k1',
    role: 'admin'
  })
  t.match(
    await one(
      db,
      sql`select l.reason, p.directory_id from left_out l join people p on p.id = l.person_id where l.directory_id = 'k2'`
    ),
    { reason: 'taken', directoryId: 'k1' }
  )
})

t.test('the same applies to people who are only invited or only known, and to the owner', async t => {
  await keep('siblings', people({ n1: 'na', n2: 'nb' }))
  await invite(db, ids.ben, at('na'))
  await db.execute(sql`update people set directory_id = 'ada-1' where id = ${ids.ada}`)
  const newcomers = people({ n8: 'na', n9: 'nb', n10: 'ada' })
  t.match(await read('siblings', newcomers), { added: 0, receipt: { taken: 3 } })
  t.same(await addressesOf('n1', 'n2', 'ada-1'), ['na', 'nb', 'ada'])
  t.match(await lastRun('siblings'), { state: 'parked' }, 'and everybody of before waits for approval')
})

t.test('a person who comes back with the same entry is the same person', async t => {
  await keep('back', people({ o1: 'oa', o2: 'ob' }))
  await read('back', people({ o2: 'ob' }))
  t.match(await read('back', people({ o1: 'oa', o2: 'ob' })), { added: 1, receipt: { taken: 0 } })
  t.match(await one(db, sql`select gone_from_directory_at from people where directory_id = 'o1'`), {
    goneFromDirectoryAt: null
  })
})

t.test('an address does not link a person who was separated from the entry', async t => {
  await keep('apart', people({ p1: 'pa', p2: 'pb' }))
  await db.execute(sql`update people set directory_id = null, directory_separated_at = now() where directory_id = 'p1'`)
  const run = await read('apart', [...people({ p1: 'pa', p2: 'pb' }).map(each => ({ ...each, title: 'Boss' }))])
  t.match(run.receipt, { taken: 1 })
  t.match(await one(db, sql`select directory_id from people where address_key = ${at('pa')}`), { directoryId: null })
})

t.test('all moves are computed in one pass, even if 50,000 wait for each other', async t => {
  const chain = (length: number, end: number | null): WantedAddress[] =>
    Array.from({ length }, (_, index) => ({
      personId: index + 1,
      holderId: index + 1 === length ? end : index + 2,
      isContested: false
    }))
  t.equal(whoMoves(chain(50_000, null)).length, 50_000)
  t.equal(whoMoves(chain(50_000, 1)).length, 50_000, 'a circle')
  t.equal(whoMoves(chain(50_000, 99_999)).length, 0, 'the end stays')
  t.same(whoMoves([]), [])
})

import t from 'tap'
import { startApp } from '../support/app.ts'
import { addGroup } from '../support/groups.ts'
import { sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const path = '/settings/sign-in'
const environment = {
  ...{ LDAP_URL: 'ldap://127.0.0.1:3', LDAP_BIND_DN: 'cn=reader', LDAP_BIND_PASSWORD: 'kept-out-of-pages' },
  LDAP_BASE_DN: 'dc=larkfield,dc=example'
}
/** As a reader sees it: without tags, with single spaces. */
const textOf = (body: string) =>
  body
    .slice(body.indexOf('<main'))
    .replace(/<[^>]+>/g, '')
    .replace(/\s+/g, ' ')

t.test('before any setup it says how people sign in and, step by step, how to turn on more', async t => {
  const { browser, db, close } = await startApp()
  t.teardown(close)
  const ada = await browser('ada')
  const before = await everyRow(db)
  const { statusCode, body } = await ada.get(path)
  t.equal(statusCode, 200)
  for (const words of ['data-sign-in="off"', 'href="/settings/directory"', 'href="/groups"']) t.match(body, words)
  const text = textOf(body)
  for (const words of ['No directory is set up yet', 'LDAP_SIGN_IN=on', 'To turn it on:', 'LDAP_URL, LDAP_BIND_DN'])
    t.match(text, words)
  t.match((await ada.get('/settings/organization')).body, `href="${path}"`, 'the settings lead to it')
  t.same(await everyRow(db), before)
})

t.test('S22: only owners see the page, and the page of groups leads there', async t => {
  const { browser, close } = await startApp()
  t.teardown(close)
  for (const persona of ['ben', 'cleo', 'dan'] as const)
    t.equal((await (await browser(persona)).get(path)).statusCode, 403, persona)
  const ada = await browser('ada')
  t.match((await ada.get('/groups')).body, `href="${path}"`)
  const refused = await ada.post('/groups', { group: 'anything' })
  t.match(refused, { statusCode: 409 })
  t.match(refused.body, `href="${path}"`)
  const ben = await browser('ben')
  for (const { body } of [await ben.get('/groups'), await ben.post('/groups', { group: 'anything' })]) {
    t.notMatch(body, `href="${path}"`, 'no link to what is closed to an admin')
    t.match(body, 'An owner')
  }
})

t.test('a directory set in the environment is shown with the variables that lock it, without its password', async t => {
  const { browser, db, close } = await startApp({ environment })
  t.teardown(close)
  const ada = await browser('ada')
  let text = textOf((await ada.get(path)).body)
  t.match(text, '127.0.0.1:3, set by LDAP_URL in the environment. No group has been read from it yet.')
  t.match(text, 'The directory is connected.')
  t.notMatch(text, 'kept-out-of-pages')
  await addGroup(db, 'Read')
  await db.execute(sql`update directory_groups set last_good_at = '2021-03-04 05:06Z'`)
  text = textOf((await ada.get(path)).body)
  t.match(text, /A group was last read from it on 4 Mar 2021, 0\d:06\./)
})

t.test('with directory sign-in on, it says so, how to turn it off, and what stays', async t => {
  const { browser, close } = await startApp({ environment: { ...environment, LDAP_SIGN_IN: 'on' } })
  t.teardown(close)
  const { body } = await (await browser('ada')).get(path)
  t.match(body, 'data-sign-in="on"')
  const text = textOf(body)
  for (const words of [
    'To turn it off:',
    'at most 4 wrong passwords per person in 30 minutes',
    'joined with a directory password have no Rollcall password'
  ])
    t.match(text, words)
  t.notMatch(text, 'To turn it on:')
  t.notMatch(text, 'No one can sign in')
})

t.test('with sign-in on but no directory, it says who cannot sign in and where to fix it', async t => {
  const { browser, close } = await startApp({ environment: { LDAP_SIGN_IN: 'on' } })
  t.teardown(close)
  const text = textOf((await (await browser('ada')).get(path)).body)
  t.match(text, /No one can sign in or join with a directory password\.\s?No directory is set up yet\./)
})

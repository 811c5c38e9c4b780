import t from 'tap'
import { readDirectory } from '../../src/directory/settings.ts'
import { secretKey, startApp } from '../support/app.ts'
import { startFake } from '../support/fake-directory.ts'
import { one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'
import { bindDn, bindPassword, dnOf, group, person, startSlapd, suffix } from '../support/slapd.ts'

const slapd = await startSlapd({
  entries: [person('anna'), person('bert'), group('Sales', [dnOf('anna'), dnOf('bert')])]
})
const rollcall = await startApp()
t.teardown(() => Promise.all([slapd.stop(), rollcall.close()]))
const { db, config, browser } = rollcall
const ada = await browser('ada')
const good = {
  ...{ url: slapd.url, starttls: 'off', ca: '', bind_dn: bindDn, bind_password: bindPassword, base_dn: suffix },
  ...{ people_filter: '', group_filter: '', nested: 'on', interval_minutes: '60', allow_plain: 'off' }
}
const path = '/settings/directory'
const read = () => readDirectory({ db, config, secretKey })

t.test('the page opens before anything is set, and the settings lead to it', async t => {
  const page = await ada.get(path)
  t.equal(page.statusCode, 200)
  t.match((await ada.get('/settings/mail')).body, 'href="/settings/directory"')
  t.equal((await read()).problem, 'No directory is set up yet')
})

t.test('a test runs step by step against the real server, and saves nothing', async t => {
  const before = await everyRow(db)
  const page = await ada.post(`${path}/test`, good)
  t.equal(page.statusCode, 200)
  for (const words of ['The directory can be read', 'OpenLDAP', '1 groups: Sales', '2 people: anna, bert'])
    t.match(page.body, words)
  t.equal(page.body.match(/data-step="ok"/g)?.length, 8)
  t.match(page.body, `value="${slapd.url}"`, 'what was typed stays')
  t.notMatch(page.body, bindPassword)
  t.same(await everyRow(db), before)
})

t.test('E7: the organization’s domains decide among addresses as soon as they are saved', async t => {
  t.same((await read()).settings.domains, ['larkfield-retail.example', 'larkfield.example'])
  await db.execute(sql`insert into domains (name) values ('new.example')`)
  t.same((await read()).settings.domains, ['larkfield-retail.example', 'larkfield.example', 'new.example'])
  await db.execute(sql`delete from domains where name = 'new.example'`)
})

t.test('with htmx a test answers in place, and failures say what to do', async t => {
  const part = await ada.post(
    `${path}/test`,
    { ...good, bind_password: 'wrong' },
    { 'hx-request': 'true', 'hx-request-type': 'partial' }
  )
  t.equal(part.statusCode, 200)
  t.notMatch(part.body, '<html')
  t.match(part.body, /^<div id="directory-test"/)
  t.match(part.body, 'data-step="failed"')
  const unread = await ada.post(
    `${path}/test`,
    { ...good, url: 'nothing' },
    { 'hx-request': 'true', 'hx-request-type': 'partial' }
  )
  t.equal(unread.statusCode, 422)
  t.match(unread.body, 'The test did not run.')
})

t.test('S15: the password is stored encrypted, bound to its place and key, and never shown', async t => {
  t.match(await ada.post(path, good), { statusCode: 303, headers: { location: path } })
  t.match((await read()).settings, { url: slapd.url, bindPassword, nested: true, peopleFilter: null })
  t.notOk(
    (await everyRow(db)).some(
      row => row.includes(bindPassword) || row.includes(Buffer.from(bindPassword).toString('hex'))
    )
  )
  t.notMatch((await ada.get(path)).body, bindPassword)
  t.match((await ada.get(path)).body, 'A password is saved.')
  t.match(await readDirectory({ db, config, secretKey: Buffer.alloc(32, 9) }), {
    problem: /cannot be read with the SECRET_KEY in force: enter it again .* SECRET_KEY_FORMER/,
    isPasswordSealed: true
  })
  const details = await one<{ details: object }>(
    db,
    sql`select details from events where kind = 'directory-settings-changed'`
  )
  t.notMatch(JSON.stringify(details), bindPassword)
  t.match(details, { details: { url: { before: '', after: slapd.url }, bind_password: 'changed' } })
})

t.test('an empty password field keeps the password if the server stays, and other settings change', async t => {
  const changed = {
    ...{ ...good, bind_password: '', nested: 'off', interval_minutes: '15', people_filter: '(objectClass=person)' },
    ...{
      attributes: 'department = ou\ntitle=employeeType',
      exclusions: 'ou=Robots,dc=x\r\nrobot@larkfield.example',
      deactivate_leavers: 'on'
    }
  }
  t.equal((await ada.post(path, changed)).statusCode, 303)
  t.match(await read(), {
    settings: {
      ...{ bindPassword, nested: false, peopleFilter: '(objectClass=person)' },
      ...{
        attributes: { department: 'ou', title: 'employeeType' },
        exclusions: ['ou=Robots,dc=x', 'robot@larkfield.example']
      }
    },
    intervalMinutes: 15,
    deactivateLeavers: true
  })
  t.match((await ada.get(path)).body, 'department = ou\ntitle = employeeType')
})

t.test(
  'S13: another host, port or encryption requires the password again, and the other server never receives it',
  async t => {
    const rogue = await startFake()
    t.teardown(() => rogue.stop())
    const elsewhere = { ...good, bind_password: '', url: rogue.url }
    for (const [name, changed] of Object.entries({
      port: elsewhere,
      host: { ...elsewhere, url: rogue.url.replace('127.0.0.1', 'localhost') },
      starttls: { ...good, bind_password: '', starttls: 'on' },
      ldaps: { ...good, bind_password: '', url: slapd.url.replace('ldap:', 'ldaps:') }
    })) {
      for (const route of [path, `${path}/test`]) {
        const answer = await ada.post(route, changed)
        t.equal(answer.statusCode, 422, `${name} ${route}`)
        t.match(answer.body, 'Enter the bind password again')
      }
    }
    t.notOk(Buffer.concat(rogue.received).includes(bindPassword))
    t.equal(rogue.requests.length, 0)
    t.match((await read()).settings, { url: slapd.url })

    await db.execute(sql`update directory_settings set url = ${rogue.url}`)
    t.match(
      await read(),
      { settings: { bindPassword: '' }, problem: /^Enter the bind password again/ },
      'not even behind the form’s back'
    )
    await db.execute(sql`update directory_settings set url = ${slapd.url}`)
  }
)

t.test('S15: a password moved from another row or column cannot be decrypted', async t => {
  const { openSecret, sealSecret } = await import('../../src/lib/secrets/secret.ts')
  const place = { table: 'directory_settings', id: 1, column: 'bind_password' }
  const sealed = sealSecret(secretKey, place, 'secret')
  t.equal(openSecret(secretKey, place, sealed), 'secret')
  for (const other of [
    { ...place, id: 2 },
    { ...place, table: 'settings' },
    { ...place, column: 'ca' }
  ])
    t.equal(openSecret(secretKey, other, sealed), undefined)
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    t.equal(openSecret(secretKey, place, changed), undefined)
  }
  t.equal(openSecret(Buffer.alloc(32, 8), place, sealed), undefined)
  t.notSame(sealSecret(secretKey, place, 'secret'), sealed)
})

t.test('an invalid value is refused beside its field, and the input stays', async t => {
  for (const [field, value, words] of [
    ['url', 'http://x', 'is not a directory’s address'],
    ['url', 'ldap://ldap.example.org', 'unencrypted'],
    ['url', 'ldap://127.0.0.1:25', 'Directories listen on port'],
    ['ca', 'no certificate', 'PEM'],
    ['base_dn', 'nonsense', 'Enter the DN'],
    ['base_dn', '', 'Enter the DN'],
    ['people_filter', '(uid=', 'The filter'],
    ['group_filter', '(&(a=b)(c=d)', 'The filter'],
    ['nested', 'maybe', 'Choose on or off'],
    ['interval_minutes', '1', 'from 5 to 10080'],
    ['exclusions', 'nobody', 'neither a DN nor an address'],
    ['attributes', 'colour = blue', 'Write lines like']
  ]) {
    const page = await ada.post(path, { ...good, [field!]: value! })
    t.equal(page.statusCode, 422, `${field} ${value}`)
    t.match(page.body, words!, `${field} ${value}`)
    t.match(page.body, `id="${field}-e"`)
    if (value && field !== 'nested') t.match(page.body.replaceAll('&amp;', '&'), value)
  }
  const nobody = await ada.post(path, { ...good, bind_dn: '' })
  t.match(nobody.body, 'Enter the bind DN that this password belongs to')
})

t.test('settings from the environment are locked, shown, and used', async t => {
  const locked = await startApp({
    environment: { LDAP_URL: slapd.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix }
  })
  t.teardown(locked.close)
  const owner = await locked.browser('ada')
  const page = (await owner.get(path)).body
  for (const words of ['LDAP_URL', slapd.url, 'LDAP_BIND_PASSWORD', 'kept secret', 'LDAP_STARTTLS'])
    t.match(page, words)
  for (const words of ['name="url"', 'name="bind_password"', bindPassword]) t.notMatch(page, words)
  const own = { nested: 'off', interval_minutes: '30' }
  t.equal((await owner.post(path, own)).statusCode, 303)
  const refused = await owner.post(path, { ...own, url: 'ldaps://other.example' })
  t.equal(refused.statusCode, 422)
  t.match(refused.body, 'This is set by LDAP_URL in the environment.')
  const state = await readDirectory({ ...locked, secretKey })
  t.match(state, {
    settings: { url: slapd.url, startTls: false, bindPassword, nested: false },
    problem: null,
    intervalMinutes: 30
  })
  t.match((await owner.post(`${path}/test`, own)).body, 'The directory can be read')
})

/** A new SECRET_KEY: with the former one nothing is lost; without it, Rollcall reports what is lost and what to do. */
import fs from 'node:fs'
import path from 'node:path'
import { simpleParser } from 'mailparser'
import t from 'tap'
import { openPassword } from '../src/directory/settings.ts'
import { cloneDatabase } from './support/database.ts'
import { linkOf, one, sql } from './support/people.ts'
import {
  endServers,
  inviteOver,
  newFolder,
  removeFolder,
  type Server,
  setUpOver,
  startServer,
  until
} from './support/server.ts'

const keys = [7, 8, 9, 10].map(byte => Buffer.alloc(32, byte))
const [first, second, third, unused] = keys.map(key => key.toString('base64')) as [string, string, string, string]
const bindPassword = 'kept-under-a-key'
// one database through its changes of keys
const place = { database: await cloneDatabase(), data: newFolder() }
t.teardown(async () => {
  await endServers()
  await place.database.drop()
  removeFolder(place.data)
})

async function start(key: string, former = '', cookie = '') {
  const server = await startServer({
    environment: { DATABASE_URL: place.database.url, SECRET_KEY: key, SECRET_KEY_FORMER: former, DATA_DIR: place.data }
  })
  await server.ready
  server.cookie.value = cookie
  return server
}

const keepDirectory = (server: Server, password: string) =>
  server.post('/settings/directory', {
    ...{ url: 'ldap://127.0.0.1:13389', starttls: 'off', ca: '', bind_dn: 'cn=reader', bind_password: password },
    ...{
      base_dn: 'dc=larkfield,dc=example',
      people_filter: '',
      group_filter: '',
      nested: 'on',
      interval_minutes: '60'
    },
    allow_plain: 'off'
  })

const sealed = async () =>
  (await one<{ kept: Buffer }>(place.database.db, sql`select bind_password as kept from directory_settings`)).kept

/** The links of the newest email in the outbox, which contains this many by then. */
async function newestMail(count: number, data = place.data) {
  const outbox = path.join(data, 'outbox')
  const mails = () => (fs.existsSync(outbox) ? fs.readdirSync(outbox).filter(name => /^\d+\.eml$/.test(name)) : [])
  await until(() => mails().length === count)
  const newest = mails()
    .sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
    .at(-1)!
  const { text } = await simpleParser(fs.readFileSync(path.join(outbox, newest)))
  return { join: /\/join\/[\w-]{43}/.exec(text!)![0], optOut: /\/unsubscribe\/[\w.-]+/.exec(text!)![0] }
}

const invite = async (server: Server, address: string, count: number) => {
  await inviteOver(server, address)
  const mail = await newestMail(count)
  const { invitationId, personId } = await linkOf(place.database.db, address)
  return { mail, invitationId, person: `/people/${personId}` }
}

/** Invited with the first key: one invitation is sent again, of the other the link is copied. */
let eve: Awaited<ReturnType<typeof invite>>
let kim: Awaited<ReturnType<typeof invite>>
let cookie: string
const copyLink = (server: Server, { invitationId }: typeof eve) => server.post(`/invitations/${invitationId}/link`)
const sendAgain = (server: Server, { invitationId }: typeof eve) =>
  server.post(`/invitations/${invitationId}/deliveries`)

t.test(
  'S15: the key is changed without downtime: links, opt-outs and the bind password work with both keys',
  async t => {
    const old = await start(first, second)
    await setUpOver(old)
    kim = await invite(old, 'kim@larkfield.example', 1)
    eve = await invite(old, 'eve@larkfield.example', 2)
    t.equal((await keepDirectory(old, bindPassword)).status, 303)
    cookie = old.cookie.value
    const server = await start(second, first, cookie)
    t.equal(openPassword([keys[0]!], await sealed()), undefined, 'nothing is under the former key any more')
    t.equal(openPassword([keys[1]!], await sealed()), bindPassword)
    let mails = 2
    for (const each of [old, server]) {
      t.notMatch((await each.get('/settings/directory')).text, 'cannot be read')
      t.equal((await each.get(eve.mail.join)).status, 200)
      t.equal((await each.get(eve.mail.optOut)).status, 200)
      t.match((await copyLink(each, eve)).text, eve.mail.join)
      t.equal((await sendAgain(each, eve)).status, 303)
      mails += 1
      t.equal((await newestMail(mails)).join, eve.mail.join, 'sent again, it is the same link')
    }
    t.same(
      server.stderr().filter(line => JSON.parse(line).level >= 40),
      []
    )
    await Promise.all([old.stop(), server.stop()])

    const later = await start(second, '', cookie)
    t.notMatch((await later.get('/settings/directory')).text, 'cannot be read', 'the former key can go')
    await later.stop()
  }
)

let withoutKey: Server
t.test('S15: a missing key is reported, with what to do, and nothing breaks', async t => {
  withoutKey = await start(third, unused, cookie)
  const server = withoutKey
  const said = server.stderr().join('\n')
  for (const words of [
    'bind password cannot be read',
    'Open invitations were made with another SECRET_KEY',
    'SECRET_KEY_FORMER'
  ])
    t.match(said, words)
  t.notMatch(said, 'eve@', 'and no person is named')
  for (const url of ['/settings/directory', '/settings/sign-in', '/groups']) {
    const page = await server.get(url)
    t.equal(page.status, 200, url)
    t.match(page.text, 'The bind password cannot be read with the SECRET_KEY in force', url)
  }
  t.match((await server.get('/settings/directory')).text, 'Stored encrypted and never shown again.')
  const before = await sealed()
  const refused = await keepDirectory(server, '')
  t.match(refused, { status: 422, text: /Enter the bind password again: the stored one cannot be read/ })
  t.same(await sealed(), before, 'it waits for its key')

  t.equal((await server.get(eve.mail.join)).status, 200, 'a link is known by its hash')
  t.match(await server.get(eve.mail.optOut), { status: 404, text: /reply to the email/ })
  t.equal((await sendAgain(server, eve)).status, 303)
  t.match((await server.get(eve.person)).text, 'It has a new')
  const again = await newestMail(5)
  t.not(again.join, eve.mail.join)
  t.equal((await server.get(again.join)).status, 200, 'no mail bears a dead link')
  t.equal((await server.get(again.optOut)).status, 200)
  t.match(await server.get(eve.mail.join), { status: 410, text: /newer email/ })

  t.equal((await keepDirectory(server, 'entered-again')).status, 303)
  t.notMatch((await server.get('/settings/directory')).text, 'cannot be read')
  t.equal(openPassword([keys[2]!], await sealed()), 'entered-again')
})

t.test('S15: if a link cannot be made again, the person who copies it is told that it is a new one', async t => {
  const page = await copyLink(withoutKey, kim)
  t.match(page.text, 'This is a new link. The one in earlier emails no longer works')
  const [link] = /\/join\/[\w-]{43}/.exec(page.text)!
  t.equal((await withoutKey.get(link)).status, 200)
  t.match(await withoutKey.get(kim.mail.join), { status: 410, text: /newer email/ })
  t.notMatch((await copyLink(withoutKey, kim)).text, 'another link', 'from then on it is the link')
})

t.test('S15: the key of a data folder is changed by moving its file', async t => {
  const data = newFolder()
  t.teardown(async () => {
    await endServers()
    removeFolder(data)
  })
  const environment = { DATA_DIR: data }
  let server = await startServer({ environment })
  await server.ready
  await setUpOver(server)
  await inviteOver(server, 'eve@larkfield.example')
  const mail = await newestMail(1, data)
  await server.stop()
  const former = path.join(data, 'former.key')
  fs.renameSync(path.join(data, 'secret.key'), former)
  server = await startServer({ environment: { ...environment, SECRET_KEY_FORMER_FILE: former } })
  await server.ready
  t.ok(fs.existsSync(path.join(data, 'secret.key')))
  t.equal((await server.get(mail.optOut)).status, 200)
  t.same(
    server.stderr().filter(line => JSON.parse(line).level >= 40),
    []
  )
})

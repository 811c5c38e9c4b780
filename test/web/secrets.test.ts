import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { type Fields, goodPassword, secretKey, setupToken, startApp } from '../support/app.ts'
import { linkOf, sql } from '../support/people.ts'
import { forms, routesOf, unknownRows } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const rollcall = await startApp({ environment: { LOG_LEVEL: 'trace' } })
const { app, db, browser, dataDir, logged, work, close } = rollcall
t.teardown(close)

t.test('S1: fifty live links are in no table, log line, metric or error page', async t => {
  const ben = await browser('ben')
  const emails = Array.from({ length: 50 }, (_, index) => `p${index}@larkfield.example`)
  for (let at = 0; at < 50; at += 5) await ben.post('/invite', { email: emails.slice(at, at + 5) })
  await work()
  const tokens = await Promise.all(emails.map(async email => (await linkOf(db, email)).token))
  t.equal(new Set(tokens).size, 50)
  for (const token of tokens) t.match(token, /^[\w-]{43}$/)
  t.match(fs.readdirSync(path.join(dataDir, 'outbox')), { length: 50 }, 'they were given out')

  const visitor = await browser()
  const pages = await Promise.all(
    tokens.flatMap(token => [
      visitor.get(`/join/${token}/nowhere`),
      visitor.get(`/join/${token.slice(0, -1)}?again=${token}`),
      visitor.post(`/join/${token}`, { token }),
      visitor.get(`/people/${token}?token=${token}`),
      ben.get(`/nowhere/${token}`)
    ])
  )
  const seen = await Promise.all(
    ['/metrics', '/ready', '/', '/people', '/batches', '/activity'].map(url => ben.get(url))
  )
  const people = await db.execute<{ id: number }>(sql`select id from people`)
  const stories = await Promise.all(people.map(({ id }) => ben.get(`/people/${id}`)))
  const haystack = [
    ...(await everyRow(db)),
    ...logged,
    ...[...pages, ...seen, ...stories].map(({ body }) => body)
  ].join('\n')
  const found = tokens.filter(token => {
    const bytes = Buffer.from(token, 'base64url')
    return [token, bytes.toString('hex'), bytes.toString('base64'), Buffer.from(token).toString('hex')].some(each =>
      haystack.includes(each)
    )
  })
  t.same(found, [])
  for (const secret of [secretKey.toString('hex'), secretKey.toString('base64'), setupToken, goodPassword])
    t.notOk(haystack.includes(secret))
})

t.test('S1: the session cookie and the password are in no table', async t => {
  const ada = await browser('ada')
  const rows = (await everyRow(db)).join('\n')
  const cookie = ada.cookie!.split('=')[1]!
  for (const each of [cookie, Buffer.from(cookie, 'base64url').toString('hex'), goodPassword])
    t.notOk(rows.includes(each))
})

t.test('S34: fifty secrets that pass through every route are in no log line', async t => {
  const canaries = Array.from({ length: 50 }, () => randomBytes(32).toString('base64url'))
  let at = 0
  const canary = () => canaries[at++ % canaries.length]!
  const ada = await browser('ada')
  for (const isOwner of [true, false])
    for (const { method, pattern } of app.declaredRoutes.map(({ method, url }) => ({ method, pattern: url }))) {
      if (pattern === '/sign-out') continue
      const rows = { ...unknownRows, join: canary(), unsubscribe: `1.${canary()}`, assets: canary() }
      const { url } = routesOf(app, rows).find(route => route.method === method && route.pattern === pattern)!
      const names = Object.keys(forms[pattern] ?? { name: '' })
      const fields: Fields = Object.fromEntries(names.map(name => [name, `${canary()}@larkfield.example`]))
      const headers = {
        ...{
          authorization: `Bearer ${canary()}`,
          'x-api-key': canary(),
          referer: `http://localhost:3000/join/${canary()}`
        },
        ...{
          'user-agent': canary(),
          cookie: isOwner ? `${ada.cookie}; other=${canary()}` : `${app.cookieName}=${canary()}`
        }
      }
      const asked = `${url}?token=${canary()}&q=${canary()}&next=/join/${canary()}`
      if (method === 'POST') await ada.post(asked, fields, headers)
      else await ada.get(asked, headers)
    }
  t.ok(at > 500)
  const log = logged.join('')
  t.same(
    canaries.filter(each => log.includes(each)),
    []
  )
})

t.test('S34: no line contains an address, even if it was in the path or in a failing search', async t => {
  const ada = await browser('ada')
  for (const url of [
    '/people/mallory@evil.example',
    '/people/mallory%40evil.example',
    '/mallory@evil.example/x',
    '/x/%6dallory@evil.example'
  ])
    await ada.get(url)
  await db.$client`alter table people rename column invited_at to elsewhere`
  const typed = encodeURIComponent('mallory@evil.example\n    at canary (mallory@evil.example:1:1)')
  t.equal((await ada.get(`/people?q=${typed}`)).statusCode, 500)
  await db.$client`alter table people rename column elsewhere to invited_at`
  t.notOk(/mallory|evil|canary/i.test(logged.join('')))
  t.ok(logged.join('').includes('request failed'))
})

t.test('S34: a link’s path is logged as /join/*, in every spelling that leads there', async t => {
  const { token } = await linkOf(db, 'p0@larkfield.example')
  const visitor = await browser()
  const open = [`/join/${token}`, `/%6aoin/${token}`, `/j%6Fin/%${token.charCodeAt(0).toString(16)}${token.slice(1)}`]
  for (const url of [...open, `http://localhost:3000/join/${token}`]) {
    logged.length = 0
    t.equal((await visitor.get(url)).statusCode, 200, url)
    t.match(logged.join(''), '"path":"/join/*"')
    t.notOk(logged.join('').includes(token))
  }
  const others = [
    `//join/${token}`,
    `/JOIN/${token}`,
    `/join/${token}/x`,
    `/x/join/${token}`,
    `/join//${token}`,
    `/${token}`
  ]
  for (const url of [...others, `http://evil.example/join/${token}`, `/join/%ff${token}`]) {
    logged.length = 0
    await visitor.get(url)
    t.notOk(logged.join('').includes(token), url)
  }
})

t.test('S34: no input can break a log line or color a terminal', async t => {
  logged.length = 0
  const visitor = await browser()
  const breaks = [
    '%0d%0a{"level":60}',
    '%1b[31mred',
    '%0a',
    '%00',
    '%c2%9b31m',
    '%e2%80%a8',
    '%22%2c%22level%22%3a60',
    '%7f'
  ]
  for (const text of breaks) {
    for (const url of [`/${text}`, `/people/${text}`, `/join/${text}`, `/?q=${text}`]) await visitor.get(url)
    await visitor.get('/', {
      'user-agent': text,
      'x-forwarded-for': text,
      referer: decodeURIComponent(text).replace(/[^ -~]/g, '?')
    })
  }
  t.ok(logged.length >= breaks.length * 5)
  for (const line of logged) {
    t.match(line, /^\{[^\n]*\}\n$/, 'one line')
    t.notMatch(line.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
    t.not((JSON.parse(line) as { level: number }).level, 60)
  }
})

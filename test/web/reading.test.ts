import t from 'tap'
import type { Persona } from '../support/app.ts'
import { startApp } from '../support/app.ts'
import { isLong, share } from '../support/long.ts'
import { reads, realRows, routesOf } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const rollcall = await startApp()
const { app, db, browser, close } = rollcall
t.teardown(close)
const rows = await realRows(rollcall)
const urls = [...new Set(routesOf(app, rows).map(({ url }) => url))]
const personas: (Persona | undefined)[] = ['ada', 'ben', 'cleo', 'dan', undefined]

t.test('S2: opening any address, as anyone and any number of times, changes no row of any table', async t => {
  const visitors = await Promise.all(personas.map(persona => browser(persona)))
  const before = await everyRow(db)
  let asked = 0
  const queries = urls.map(url => `${url}?q=real&status=invited&verdict=invite`)
  // each address is opened by all; its other requests take turns
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const)
    for (const [turn, { cookie }] of visitors.entries())
      for (const url of [...(method === 'GET' ? urls : share(urls, turn, 5)), ...share(queries, turn, 5)]) {
        const headers = { host: 'localhost:3000', ...(cookie ? { cookie } : {}) }
        const { statusCode } = await app.inject({ method, url, headers })
        t.ok(statusCode < 500, `${method} ${url} ${statusCode}`)
        asked += 1
      }
  t.ok(asked > (isLong ? 1000 : 500))
  t.same(await everyRow(db), before)
})

t.test('S2: a mail scanner that follows every link of the email uses nothing up', async t => {
  const scanner = await browser()
  const before = await everyRow(db)
  for (const url of [`/join/${rows.join}`, `/unsubscribe/${rows.unsubscribe}`])
    for (let round = 0; round < 20; round += 1)
      t.equal((await scanner.get(url, { 'user-agent': 'LinkScanner/1.0', 'hx-request': 'true' })).statusCode, 200)
  t.same(await everyRow(db), before)
})

t.test('HEAD answers like GET, without the page', async t => {
  const ada = await browser('ada')
  const headers = { host: 'localhost:3000', cookie: ada.cookie! }
  for (const { url } of reads(routesOf(app, rows)).filter(({ pattern }) => pattern !== '/setup')) {
    const [page, head] = [await ada.get(url), await app.inject({ method: 'HEAD', url, headers })]
    t.equal(head.statusCode, page.statusCode, url)
    t.equal(head.body, '', url)
  }
})

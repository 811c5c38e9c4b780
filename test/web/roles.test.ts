/** Roles over all declared routes: what access.test.ts leaves open. */
import t from 'tap'
import { type Browser, type Persona, startApp } from '../support/app.ts'
import { forms, realRows, routesOf, type TestRoute, unknownRows } from '../support/routes.ts'

const rollcall = await startApp()
const { app, browser, close } = rollcall
t.teardown(close)
const known = routesOf(app, await realRows(rollcall))
const unknown = routesOf(app, unknownRows)
const ranks = ['anyone', 'member', 'auditor', 'admin', 'owner']

const ask = (visitor: Browser, { method, url, pattern }: TestRoute) =>
  method === 'POST' ? visitor.post(url, forms[pattern] ?? {}) : visitor.get(url)

/** An answer without what differs in any two: the number of the request, and the address that was asked for. */
async function toldOf(visitor: Browser, route: TestRoute) {
  const { statusCode, body, headers } = await ask(visitor, route)
  const plain = (text: string) =>
    text
      .replaceAll(route.url, 'URL')
      .replaceAll(encodeURIComponent(route.url), 'URL')
      .replaceAll(/req-\w+/g, 'REQUEST')
  return { statusCode, body: plain(body), location: plain(String(headers.location ?? '')) }
}

t.test('S22, S23: a role that is too small learns nothing about an id, not even whether it exists', async t => {
  const people: [number, Persona | undefined][] = [
    [0, undefined],
    [1, 'dan'],
    [2, 'cleo'],
    [3, 'ben']
  ]
  let compared = 0
  for (const [rank, persona] of people) {
    const visitor = await browser(persona)
    for (const [index, route] of known.entries()) {
      const other = unknown[index]
      if (!other || ranks.indexOf(route.access) <= rank || route.url === other.url) continue
      const [one, two] = [await toldOf(visitor, route), await toldOf(visitor, other)]
      t.same(one, two, `${persona ?? 'signed out'}: ${route.method} ${route.pattern}`)
      t.ok([303, 401, 403].includes(one.statusCode), `${one.statusCode} ${route.pattern}`)
      compared += 1
    }
  }
  t.ok(compared > 100, `${compared} pairs`)
})

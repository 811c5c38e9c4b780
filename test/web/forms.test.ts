import t, { type Test } from 'tap'
import { baseUrl, encode, type Fields, startApp } from '../support/app.ts'
import { share } from '../support/long.ts'
import { forms, repeatable, routesOf, type TestRoute, unknownRows, writes } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const set = await startApp()
const fresh = await startApp({ isSetUp: false })
t.teardown(async () => Promise.all([set.close(), fresh.close()]))
const { cookie } = await set.browser('ada')

/** Every route that accepts a form, except the upload, which has its own rules, and the opt-out, which accepts any body. */
const isForm = ({ pattern }: TestRoute) => pattern !== '/bulk' && pattern !== '/unsubscribe/:token'
const routes = writes(routesOf(set.app, unknownRows)).filter(isForm)
const formType = 'application/x-www-form-urlencoded'

async function send({ pattern, url }: TestRoute, payload: string | Buffer, type = formType) {
  const { app } = pattern === '/setup' ? fresh : set
  const headers = { host: 'localhost:3000', origin: baseUrl, cookie: cookie!, 'content-type': type }
  return (await app.inject({ method: 'POST', url, payload, headers })).statusCode
}

const formOf = ({ pattern }: TestRoute): Fields => forms[pattern] ?? {}
const scalarsOf = (route: TestRoute) =>
  Object.keys(formOf(route)).filter(name => !repeatable.includes(`${name} of ${route.pattern}`))

/** Each route gets one variant in four; with `--long`, all. */
const turns = 4

/** Sends forms to every route and checks the answers; none of them may change a row. */
async function refuses(t: Test, status: number, variants: (route: TestRoute) => [string, string | Buffer, string?][]) {
  const rows = async () => [...(await everyRow(set.db)), ...(await everyRow(fresh.db))]
  const before = await rows()
  for (const [turn, route] of routes.entries())
    await Promise.all(
      share(variants(route), turn, turns).map(async ([name, payload, type]) =>
        t.equal(await send(route, payload, type), status, `${route.pattern}: ${name}`)
      )
    )
  t.same(await rows(), before)
}
t.test('S24: an unknown field is refused', async t => {
  await refuses(t, 400, route =>
    ['role', 'is_admin', 'id', 'email[]', 'name[first]', 'token2', ' name', 'NAME', ''].map(extra => {
      const name = extra in formOf(route) ? `${extra}_` : extra
      return [JSON.stringify(name), encode({ ...formOf(route), [name]: 'x' })]
    })
  )
})

t.test('S24: a repeated or array value is refused where one value is expected', async t => {
  await refuses(t, 400, route =>
    scalarsOf(route).flatMap(name => {
      const value = String(formOf(route)[name])
      return [
        [`${name} twice`, encode({ ...formOf(route), [name]: [value, value] })],
        [`${name} as an array`, `${encode(formOf(route))}&${name}[]=x`],
        [`${name} as an object`, `${encode(formOf(route))}&${name}[a]=x`],
        [`${name} numbered`, `${encode(formOf(route))}&${name}[0]=x`]
      ] as [string, string][]
    })
  )
})

t.test('S29: names that target the prototype are unknown fields', async t => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    '__proto__[admin]',
    'constructor[prototype][admin]',
    'toString'
  ]
  await refuses(t, 400, route =>
    names.map(name => [name, `${encode(formOf(route))}&${encodeURIComponent(name)}=admin`])
  )
  t.equal(({} as Record<string, unknown>).admin, undefined)
})

t.test('S24: NUL and broken UTF-8 are refused in names and values', async t => {
  const raw = (route: TestRoute, ...bytes: number[]) =>
    Buffer.from([...Buffer.from(`${encode(formOf(route))}&`), ...bytes])
  await refuses(t, 400, route => {
    const [name = 'name'] = scalarsOf(route)
    const others = encode(Object.fromEntries(Object.entries(formOf(route)).filter(([each]) => each !== name)))
    return [
      ...['%00', 'a%00b', '%ff', '%c3', '%c3%28', '%ed%a0%80', '%f8%88%80%80%80', '%c0%af', '%', '%zz', '%u0041'].map(
        value => [value, `${others}&${name}=${value}`] as [string, string]
      ),
      ['NUL in a name', `${others}&${name}%00=x`],
      ['a broken name', `${others}&%ff=x`],
      ['a raw broken byte', raw(route, 0x61, 0x3d, 0xff)],
      ['a raw NUL', raw(route, 0x61, 0x3d, 0x00)]
    ]
  })
})

t.test('S24: a form of another content type is refused, in any spelling', async t => {
  const types = [
    'application/json',
    'application/json; charset=utf-8',
    ' application/json',
    'application/json\t',
    'APPLICATION/JSON',
    'text/plain',
    'text/html',
    'application/xml',
    'application/octet-stream',
    'application/x-www-form-urlencoded-x',
    'application/x-www-form-urlencode',
    'application/x-www-form-urlencoded/x',
    'application/json, application/x-www-form-urlencoded',
    'x-application/x-www-form-urlencoded',
    'multipart/form-data',
    '*/*',
    'x'
  ]
  await refuses(t, 415, route =>
    types.map(type => [
      type,
      type.includes('json') ? JSON.stringify(formOf(route)) : encode(formOf(route)) || 'x',
      type
    ])
  )
})

t.test('S24: a value of a megabyte is too large', async t => {
  await refuses(t, 413, route => {
    const [name = 'name'] = Object.keys(formOf(route))
    return [['1 MB', encode({ ...formOf(route), [name]: 'x'.repeat(1024 ** 2) })]]
  })
})

t.test('S24: a long, odd or wrong value is validated as text, and never breaks anything', async t => {
  const odd = ['', ' ', '0', 'null', '[]', '{}', '-1', '1e999', 'x'.repeat(60_000), '\u202e', '💥'.repeat(500)]
  const strange = [
    "'; drop table people; --",
    '<img src=x onerror=alert(1)>',
    '\r\nX-Injected: 1',
    '%s%n',
    '{{7*7}}<%= 7 %>'
  ]
  const wrong: Record<string, Fields> = { '/setup': { domains: '' }, '/sign-in': { password: '' } }
  for (const [turn, route] of routes.filter(({ pattern }) => pattern !== '/sign-out').entries())
    for (const [index, name] of Object.keys(formOf(route)).entries()) {
      const tries = share([...odd, ...strange], turn + index, turns).map(async value => {
        const status = await send(route, encode({ ...formOf(route), ...wrong[route.pattern], [name]: value }))
        t.ok(status < 500 && status !== 400, `${route.pattern} ${name}=${value.slice(0, 30)}: ${status}`)
      })
      await Promise.all(tries)
    }
})

t.test('S24: a query is read just as strictly: one value each, valid text, no pollution', async t => {
  // the wrong passwords above used up this network's tries for the minute
  await set.db.$client`delete from sign_in_failures`
  const ada = await set.browser('ada')
  const pages: Record<string, string[]> = {
    '/people': ['q', 'status', 'delivery', 'after'],
    '/batches': ['before'],
    '/activity': ['kind', 'actor', 'from', 'to', 'before'],
    '/sign-in': ['next'],
    '/outbox': ['before']
  }
  for (const [url, names] of Object.entries(pages)) {
    const name = names[0]!
    t.equal((await ada.get(`${url}?${name}=a&${name}=b`)).statusCode, 400, `${url} repeated`)
    for (const text of ['%ff', '%00', '%', `${name}=%c3%28`])
      t.equal((await ada.get(`${url}?${text}`)).statusCode, 400, `${url}?${text}`)
    for (const text of ['__proto__=x', 'constructor=x&utm_source=mail', `${name}=`, `${name}[]=x`, '&&=&', 'a=1&a=2'])
      t.ok((await ada.get(`${url}?${text}`)).statusCode < 400, `${url}?${text}`)
  }
  for (const [url, names] of Object.entries(pages))
    for (const name of names)
      for (const value of ['__proto__', 'constructor', 'x'.repeat(2000), "'", '-1', '9'.repeat(20), '2026-02-31'])
        t.ok((await ada.get(`${url}?${name}=${value}`)).statusCode < 500, `${url} ${name}=${value}`)
})

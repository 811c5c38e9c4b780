import t from 'tap'
import { goodPassword, startApp } from '../support/app.ts'

const { browser, close } = await startApp()
t.teardown(close)

/** Where each form of `next` must not lead. */
const elsewhere = [
  'https://evil.example',
  'http://evil.example/',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\\/evil.example',
  '//evil.example/%2f..',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  ' https://evil.example',
  '/ok\r\nSet-Cookie: a=b',
  '/ok\r\n\r\n<script>',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>',
  'vbscript:x',
  'evil.example',
  './/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/people/..//evil.example',
  'http:evil.example',
  'http:///evil.example',
  'https:/evil.example',
  'http://localhost:3000@evil.example',
  'http://localhost:3000.evil.example',
  'http://localhost:3000/people',
  '@evil.example',
  '?next=//evil.example',
  '#//evil.example',
  '*',
  `/${'x'.repeat(3000)}`
]

t.test('S31: after signing in people are only led to pages of Rollcall', async t => {
  const ada = await browser('ada')
  for (const [index, next] of elsewhere.entries()) {
    const shown = JSON.stringify(next.slice(0, 50))
    const visitor = await browser()
    const persona = ['ada', 'ben', 'cleo'][index % 3]
    const answer = await visitor.post('/sign-in', {
      email: `${persona}@larkfield.example`,
      password: goodPassword,
      next
    })
    t.match(answer, { statusCode: 303, headers: { location: '/' } }, shown)
    const url = `/sign-in?next=${encodeURIComponent(next)}`
    t.equal((await ada.get(url)).headers.location, '/', `signed in already: ${shown}`)
    t.notMatch((await (await browser()).get(url)).body, 'evil.example', `not in the form: ${shown}`)
  }
})

t.test('after signing in people return to the page that they asked for', async t => {
  const own = [
    '/people',
    '/people?q=ben&status=invited',
    '/batches/1?verdict=foreign',
    '/',
    '/a%2fb',
    '/%0d%0aX:y',
    '/@evil'
  ]
  for (const next of own) {
    const visitor = await browser()
    const page = await visitor.get(`/sign-in?next=${encodeURIComponent(next)}`)
    t.match(page.body, `value="${next.replaceAll('&', '&amp;')}"`, 'kept in the form')
    const answer = await visitor.post('/sign-in', { email: 'ada@larkfield.example', password: goodPassword, next })
    t.equal(answer.headers.location, next)
  }
})

import t from 'tap'
import { type Fields, startApp } from '../../support/app.ts'
import { everyRow } from '../../support/rows.ts'

const { db, browser, close } = await startApp()
t.teardown(close)
const part = { 'hx-request': 'true', 'hx-request-type': 'partial' }

t.test('a check says the same about an address as the form, and nothing about the person', async t => {
  const ben = await browser('ben')
  const before = await everyRow(db)
  const said: [string, RegExp][] = [
    ['', /^$/],
    [' \t', /^$/],
    ['new@larkfield.example', /^$/],
    // only the report says who has signed up or is unknown
    ['dan@larkfield.example', /^$/],
    ['Doe, Jane <jane@larkfield.example>; rick@larkfield.example', /^$/],
    ['noone', /There is no @ sign$/],
    ['kim@elsewhere.example', /elsewhere\.example is not one of your domains$/],
    ['kim@larkfeild.example', /Did you mean larkfield\.example\?$/],
    ["'eve@larkfield.example", /Did you mean eve@larkfield\.example\?$/],
    ['a@larkfield.example, b@elsewhere.example', /b@elsewhere\.example: elsewhere\.example is not/],
    ['a@b.example b@b.example c@b.example d@b.example e@b.example f@b.example', /You entered 6 addresses\./],
    ['<b hx-get=/evil hx-trigger=load>', /^(?!.*<b)/s]
  ]
  for (const [email, words] of said) {
    const answer = await ben.post('/invite/check', { email }, part)
    t.equal(answer.statusCode, 200, email)
    t.match(answer.body, words)
    t.notMatch(answer.body, '<html')
  }
  t.same(await everyRow(db), before)
})

t.test('a check takes one address of reasonable length, and no other field', async t => {
  const ben = await browser('ben')
  const wrong: Fields[] = [{ email: ['a', 'b'] }, { email: 'a', team: '1' }, { 'email[]': 'a' }]
  for (const fields of wrong) t.equal((await ben.post('/invite/check', fields, part)).statusCode, 400)
  t.equal((await ben.post('/invite/check', { email: 'x'.repeat(70_000) }, part)).statusCode, 413)
})

t.test('S21: more checks per minute than anyone types are refused, for that user alone', async t => {
  const [ada, ben] = await Promise.all([browser('ada'), browser('ben')])
  const ask = (visitor: typeof ada) => visitor.post('/invite/check', { email: 'kim' }, part)
  const answers = []
  for (let tries = 0; tries < 121; tries += 1) answers.push(await ask(ada))
  t.same([...new Set(answers.slice(0, 120).map(answer => answer.statusCode))], [200])
  t.equal(answers[120]!.statusCode, 429)
  const wait = Number(answers[120]!.headers['retry-after'])
  t.ok(wait > 0 && wait <= 60)
  t.equal((await ask(ben)).statusCode, 200)
  t.equal((await ada.post('/invite', { email: 'kim@larkfield.example' })).statusCode, 303, 'sending is not refused')
})

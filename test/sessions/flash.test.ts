import t from 'tap'
import { startApp } from '../support/app.ts'
import { forms } from '../support/routes.ts'

const { browser, close } = await startApp()
t.teardown(close)
const part = { 'hx-request': 'true', 'hx-request-type': 'partial' }
const whole = { 'hx-request': 'true', 'hx-request-type': 'full' }
const message = 'class="callout good flash"'

t.test('a message is shown once, on the next whole page, and not on a part that refreshes itself', async t => {
  const ada = await browser('ada')
  for (const headers of [{}, whole]) {
    t.equal((await ada.post('/me', forms['/me'])).statusCode, 303)
    t.notMatch((await ada.get('/people', part)).body, message)
    t.match((await ada.get('/people', headers)).body, message)
    t.notMatch((await ada.get('/people', headers)).body, message)
  }
})

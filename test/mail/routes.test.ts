import fs from 'node:fs'
import path from 'node:path'
import { test } from 'tap'
import { startApp } from '../support/app.ts'

async function withMail(count = 1) {
  const rollcall = await startApp()
  const ben = await rollcall.browser('ben')
  const folder = path.join(rollcall.dataDir, 'outbox')
  const emails = Array.from({ length: count }, (_, index) => `p${index + 1}@larkfield.example`)
  await ben.post('/invite', { email: emails })
  await rollcall.work()
  const ids = fs.readdirSync(folder).map(name => Number(name.split('.')[0]))
  return { rollcall, ben, folder, id: Math.max(...ids), ids }
}

test('an admin reads the emails that would have been sent', async t => {
  const { rollcall, ben, folder, id } = await withMail()
  t.teardown(rollcall.close)

  const list = await ben.get('/outbox')
  t.equal(list.statusCode, 200)
  t.match(list.body, `href="/outbox/${id}"`)
  t.match(list.body, 'p1@larkfield.example')

  const page = await ben.get(`/outbox/${id}`)
  t.equal(page.statusCode, 200)
  t.match(page.body, /<a href="http:\/\/localhost:3000\/join\/[\w-]{43}">/, 'the link can be followed')
  t.match(page.headers['content-security-policy'], /script-src 'self'.*frame-src 'self'/)

  const file = await ben.get(`/outbox/${id}.eml`)
  t.equal(file.headers['content-type'], 'message/rfc822')
  t.equal(file.headers['content-disposition'], `attachment; filename="${id}.eml"`)
  t.same(file.rawPayload, fs.readFileSync(path.join(folder, `${id}.eml`)))
})

test('an email is shown in a frame that can do nothing', async t => {
  const { rollcall, ben, id } = await withMail()
  t.teardown(rollcall.close)
  t.match((await ben.get(`/outbox/${id}`)).body, `<iframe class="mail-frame" src="/outbox/${id}/html" sandbox `)
  const framed = await ben.get(`/outbox/${id}/html`)
  t.match(framed.headers, {
    'content-security-policy': /^default-src 'none'; style-src 'unsafe-inline'.*frame-ancestors 'self'; sandbox$/,
    'x-frame-options': 'SAMEORIGIN',
    'content-type': /^text\/html/
  })
  t.match(framed.body, /^<!doctype html>/)
})

test('the outbox is read page by page', async t => {
  const { rollcall, ben, folder, ids } = await withMail()
  t.teardown(rollcall.close)
  t.notMatch((await ben.get('/outbox')).body, 'before=')
  const one = path.join(folder, `${ids[0]}.eml`)
  for (let id = 1001; id <= 1060; id++) fs.copyFileSync(one, path.join(folder, `${id}.eml`))
  t.match((await ben.get('/outbox')).body, 'href="/outbox?before=1011"')
  const second = (await ben.get('/outbox?before=1011')).body
  t.match(second, 'href="/outbox/1010"')
  t.notMatch(second, 'href="/outbox/1011"')
  t.match((await ben.get('/outbox?before=1')).body, 'No older emails')
})

test('an unknown email is not found, and the outbox is for admins', async t => {
  const { rollcall, ben, id } = await withMail()
  t.teardown(rollcall.close)
  const names = ['999', '999.eml', '999/html', 'x', 'x.eml', '0', '../../etc/passwd.eml', '1e3', '1.txt']
  for (const name of names) t.equal((await ben.get(`/outbox/${name}`)).statusCode, 404, name)
  const cleo = await rollcall.browser('cleo')
  const anonymous = await rollcall.browser()
  for (const url of ['/outbox', `/outbox/${id}`, `/outbox/${id}.eml`, `/outbox/${id}/html`]) {
    t.equal((await cleo.get(url)).statusCode, 403, url)
    t.equal((await anonymous.get(url)).statusCode, 303, url)
  }
})

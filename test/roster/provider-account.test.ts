import t from 'tap'
import { startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'

t.test('an owner separates a person from the provider’s account, which ends the sessions from there', async t => {
  const { db, ids, browser, close } = await startApp()
  t.teardown(close)
  const issuer = 'https://login.example.org'
  await db.execute(sql`insert into provider_accounts (issuer, subject, person_id, email, last_used_at)
    values (${issuer}, 'sub-ben', ${ids.ben}, 'ben@elsewhere.example', now())`)
  const [ada, ben, other] = [await browser('ada'), await browser('ben'), await browser('ben')]
  await db.execute(sql`update sessions set method = 'provider', issuer = ${issuer}, subject = 'sub-ben'
    where id = (select max(id) from sessions where person_id = ${ids.ben})`)
  const page = `/people/${ids.ben}`
  for (const url of [page, '/me']) {
    const { body } = await ben.get(url)
    for (const words of ['Account at the provider', issuer, 'ben@elsewhere.example', 'Last used']) t.match(body, words)
    t.notMatch(body, 'provider-account/removal', 'only owners separate')
  }
  t.match((await ada.get(page)).body, `action="${page}/provider-account/removal"`)
  t.notMatch((await ada.get('/me')).body, 'Account at the provider')

  const removal = `${page}/provider-account/removal`
  t.equal((await ben.post(removal)).statusCode, 403)
  t.match(await ada.post(removal), { statusCode: 303, headers: { location: page } })
  t.equal((await ben.get('/me')).statusCode, 200, 'a session that began with a password stays')
  t.equal((await other.get('/me')).statusCode, 303, 'the one from the provider ended')
  t.match(await one(db, sql`select count(*)::int as n from provider_accounts`), { n: 0 })
  t.match(await one(db, sql`select actor_id, person_id, details from events where kind = 'provider-unlinked'`), {
    actorId: ids.ada,
    personId: ids.ben,
    details: { issuer, email: 'ben@elsewhere.example', sessions: 1 }
  })
  t.match((await ada.get('/activity')).body, 'separated Ben from their account at the provider')
  t.equal((await ada.post(removal)).statusCode, 409)
  t.equal((await ada.post('/people/987654321/provider-account/removal')).statusCode, 404)
})

import t from 'tap'
import { startApp } from '../support/app.ts'
import { startProvider } from '../support/provider.ts'

for (const [baseUrl, prefix] of [
  ['https://rollcall.larkfield.example', '__Host-'],
  ['http://rollcall.larkfield.example:3000', '']
] as const)
  t.test(`S33: the cookie of a sign-in under way, at ${baseUrl}`, async t => {
    const provider = await startProvider({ baseUrl })
    t.teardown(provider.close)
    const { app, close } = await startApp({ environment: { ...provider.environment, BASE_URL: baseUrl } })
    t.teardown(close)
    const answer = await app.inject({ url: '/sign-in/oidc', headers: { host: new URL(baseUrl).host } })
    t.equal(answer.statusCode, 303, answer.body)
    const [line = '', ...more] = [answer.headers['set-cookie']].flat().map(String)
    t.same(more, [])
    t.match(line, new RegExp(`^${prefix}(?!__)[\\w-]+-oidc=[\\w-]{43}; Max-Age=600; Path=/; HttpOnly;.* SameSite=Lax$`))
    t.equal(line.includes('Secure'), prefix !== '')
    t.notMatch(line, /domain/i)
    t.ok(line.length < 4096)
    const location = new URL(answer.headers.location ?? '')
    t.equal(location.searchParams.get('redirect_uri'), `${baseUrl}/sign-in/oidc/callback`)
    t.equal(location.searchParams.get('code_challenge_method'), 'S256')
  })

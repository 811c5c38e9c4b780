/** Rollcall beside a provider, and browsers that go there and come back. */
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { Database } from '../../src/db/client.ts'
import { forgetConnection } from '../../src/oidc/connection.ts'
import { readProvider, sealClientSecret } from '../../src/oidc/settings.ts'
import { type NewProvider, writeProviderRow } from '../../src/oidc/settings-store.ts'
import { type Browser, baseUrl, secretKey, startApp, type TestApp, type TestAppOptions } from './app.ts'
import { one, sql } from './people.ts'
import { type Claims, type ProviderOptions, startProvider, type TestProvider, throughProvider } from './provider.ts'

export interface Sso extends TestApp {
  provider: TestProvider
  /** A new browser goes to the provider from `path` and comes back. */
  come: (path?: string) => Promise<{ visitor: Browser; back: URL; answer: LightMyRequestResponse }>
  /** Goes only as far as the answer of Rollcall that should lead to the provider. */
  leave: (path?: string) => Promise<{ visitor: Browser; left: LightMyRequestResponse }>
  /** Rollcall reads discovery and keys again. */
  forget: () => Promise<void>
  sessions: () => Promise<number>
}

export const verified = (email: string, more: Claims = {}): Claims => ({
  email,
  email_verified: true,
  name: 'Someone',
  ...more
})

export interface SsoOptions extends Omit<ProviderOptions, 'baseUrl'> {
  app?: TestAppOptions
  /** What OIDC_ISSUER says instead. */
  issuer?: (issuer: string) => string
}

export async function startSso(t: Test, { app = {}, issuer, ...options }: SsoOptions = {}): Promise<Sso> {
  const provider = await startProvider({ baseUrl, ...options })
  t.teardown(provider.close)
  const { environment } = provider
  const isSet = options.proof !== 'none'
  const own = isSet && { ...environment, ...(issuer && { OIDC_ISSUER: issuer(provider.issuer) }) }
  const rollcall = await startApp({ ...app, environment: { ...own, ...app.environment } })
  t.teardown(rollcall.close)
  const deps = { ...rollcall, secretKey }
  const leave = async (path = '/sign-in/oidc') => {
    const visitor = await rollcall.browser()
    return { visitor, left: await visitor.get(path) }
  }
  return {
    ...rollcall,
    provider,
    leave,
    come: async path => {
      const { visitor, left } = await leave(path)
      if (left.statusCode !== 303) throw new Error(`Rollcall answered ${left.statusCode}: ${left.body.slice(0, 2000)}`)
      const back = await throughProvider(left.headers.location ?? '', baseUrl)
      return { visitor, back, answer: await visitor.get(back.pathname + back.search) }
    },
    forget: async () => {
      const { inForce } = await readProvider(deps)
      if (inForce) forgetConnection(inForce)
    },
    sessions: async () => {
      const { n } = await one<{ n: number }>(rollcall.db, sql`select count(*)::int as n from sessions`)
      return n
    }
  }
}

/** Puts a provider in force as an owner would in the console. */
export async function putInForce(
  db: Database,
  { issuer, clientId, clientSecret }: Pick<TestProvider, 'issuer' | 'clientId' | 'clientSecret'>,
  more: Partial<NewProvider> = {}
): Promise<void> {
  await writeProviderRow(db, 'inForce', {
    issuer,
    clientId,
    clientSecret: sealClientSecret(secretKey, { id: 1, clientId, secretFor: issuer }, clientSecret),
    secretFor: issuer,
    name: 'Sign in with Larkfield',
    testedAt: new Date(),
    ...more
  })
}

/** An OpenID provider in this process that signs anyone in without asking, and that a test can make lie. */
import { createHmac } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import * as jose from 'jose'
import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider'

export type Claims = Record<string, unknown>

/** What a test changes after the provider has answered rightly. */
export interface Lies {
  /** Changes header and claims, or returns a whole token. */
  idToken?: (header: Claims, claims: Claims, kit: Kit) => string | undefined | Promise<string | undefined>
  userinfo?: (ctx: KoaContextWithOIDC, kit: Kit) => void | Promise<void>
  discovery?: (document: Claims, ctx: KoaContextWithOIDC) => void
  jwks?: (ctx: KoaContextWithOIDC) => void
  token?: (ctx: KoaContextWithOIDC) => void
  /** Changes the address that the browser is sent back to. */
  back?: (url: URL) => void
  /** Answers instead of the provider when it returns true. */
  instead?: (ctx: KoaContextWithOIDC) => boolean | Promise<boolean>
}

export interface Kit {
  issuer: string
  /** Signs claims with one of the provider's keys. */
  sign: (claims: Claims, header?: Claims) => Promise<string>
}

export interface TestProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** Who signs in next; their claims. */
  accounts: Map<string, Claims>
  signsIn: (subject: string, claims?: Claims) => void
  lies: Lies
  kit: Kit
  /** Paths that were asked for. */
  asked: string[]
  environment: Record<string, string>
  close: () => Promise<void>
}

export interface ProviderOptions {
  baseUrl: string
  /** Of the client; RS256 by default. */
  algorithm?: 'RS256' | 'PS256' | 'ES256'
  proof?: 'client_secret_basic' | 'client_secret_post' | 'none'
  port?: number
  /** Below which the provider is, as Keycloak's realms are: `/realms/one`. */
  path?: string
  /** Asks on a page who signs in, as people expect it; else the account of `signsIn` comes at once. */
  asks?: boolean
}

const clientId = 'rollcall'
const clientSecret = 'a secret-with_odd.signs~and*more(32)!'

/** Starts it on loopback. Register `close` with the test's teardown. */
export async function startProvider({
  baseUrl,
  algorithm = 'RS256',
  proof,
  port = 0,
  path = '',
  asks = false
}: ProviderOptions): Promise<TestProvider> {
  const server = http.createServer()
  await new Promise<void>(done => server.listen(port, '127.0.0.1', done))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const keys = [await newKey('RS256', 'rsa'), await newKey('ES256', 'ec')]
  const accounts = new Map<string, Claims>()
  const lies: Lies = {}
  const asked: string[] = []
  let next = ''
  const kit: Kit = {
    issuer,
    sign: (claims, header = {}) => sign(claims, { alg: algorithm, kid: kidFor(algorithm), ...header }, keys)
  }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        ...(proof !== 'none' && { client_secret: clientSecret }),
        token_endpoint_auth_method: proof ?? 'client_secret_post',
        redirect_uris: [`${baseUrl}/sign-in/oidc/callback`],
        post_logout_redirect_uris: [`${baseUrl}/sign-in`],
        backchannel_logout_uri: `${baseUrl}/sign-in/oidc/logout`,
        backchannel_logout_session_required: true,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: algorithm
      }
    ],
    jwks: { keys },
    ...settings(accounts, path)
  } satisfies Configuration)
  provider.use(async (context, proceed) => {
    const ctx = context as unknown as KoaContextWithOIDC
    asked.push(ctx.path)
    if (lies.instead && (await lies.instead(ctx))) return
    if (ctx.path.startsWith('/interaction/')) {
      const account = asks ? await askWho(ctx, accounts) : next
      if (account === undefined) return
      ctx.respond = false
      const login = { accountId: account, ...mfaOf(accounts.get(account)) }
      return provider.interactionFinished(ctx.req, ctx.res, { login })
    }
    await proceed()
    await tellLies(ctx, lies, kit, baseUrl)
  })
  const answer = provider.callback()
  const mount = path.replace(/\/$/, '')
  server.on('request', (request, response) => {
    const url = request.url ?? '/'
    // as a framework that mounts it below a path
    Object.assign(request, { originalUrl: url, url: url.startsWith(mount) ? url.slice(mount.length) || '/' : url })
    void answer(request, response)
  })
  return {
    ...{ issuer, clientId, clientSecret, accounts, lies, kit, asked },
    environment: { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret },
    signsIn: (subject, claims) => {
      next = subject
      if (claims) accounts.set(subject, claims)
    },
    close: () =>
      new Promise(done => {
        server.close(() => done())
        server.closeAllConnections()
      })
  }
}

function settings(accounts: Map<string, Claims>, path: string): Configuration {
  const openid = ['sub', 'amr', 'acr', 'sid', 'groups', '_claim_names', '_claim_sources', 'tid']
  const ttl = 600
  return {
    conformIdTokenClaims: false,
    acrValues: ['mfa'],
    scopes: ['openid', 'email', 'profile'],
    pkce: { required: () => true },
    claims: { openid, email: ['email', 'email_verified'], profile: ['name'] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true }
    },
    cookies: { keys: ['only for this run'] },
    ttl: { AccessToken: ttl, AuthorizationCode: 60, IdToken: ttl, Grant: ttl, Session: ttl, Interaction: ttl },
    // its own fetch refuses loopback, and would never deliver a logout token to a test
    fetch: (url: string | URL | Request, { dispatcher, ...options }: RequestInit & { dispatcher?: unknown } = {}) =>
      fetch(url, options),
    interactions: { url: (_ctx, interaction) => `${path.replace(/\/$/, '')}/interaction/${interaction.uid}` },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
    loadExistingGrant: async ctx => {
      const { client, session, provider } = ctx.oidc
      const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    }
  }
}

/** A real provider says in `amr` and `acr` how the person signed in. */
const mfaOf = (claims: Claims | undefined) => (claims?.mfa ? { amr: ['pwd', 'otp'], acr: 'mfa' } : { amr: ['pwd'] })

/** A page with a button for each account. undefined: it was shown, and nothing is chosen yet. */
async function askWho(ctx: KoaContextWithOIDC, accounts: Map<string, Claims>): Promise<string | undefined> {
  if (ctx.method === 'POST') {
    const chunks: Buffer[] = []
    for await (const chunk of ctx.req) chunks.push(chunk)
    return new URLSearchParams(Buffer.concat(chunks).toString()).get('account') ?? ''
  }
  const buttons = [...accounts].map(
    ([id, { name, email }]) =>
      `<p><button name="account" value="${id}">${String(name ?? id)} (${String(email ?? 'no address')})</button></p>`
  )
  ctx.type = 'html'
  ctx.body = `<!doctype html><html lang="en"><title>Provider</title><h1>Who are you?</h1><form method="post">${buttons.join('')}</form></html>`
  return undefined
}

async function tellLies(ctx: KoaContextWithOIDC, lies: Lies, kit: Kit, baseUrl: string) {
  const route = ctx.oidc?.route
  const body = ctx.body as Claims | undefined
  if (route === 'token' && lies.idToken && typeof body?.id_token === 'string') {
    const [header, claims] = [jose.decodeProtectedHeader(body.id_token), jose.decodeJwt(body.id_token)]
    body.id_token = (await lies.idToken(header as Claims, claims, kit)) ?? (await kit.sign(claims, header as Claims))
  }
  if (route === 'token') lies.token?.(ctx)
  if (route === 'userinfo') await lies.userinfo?.(ctx, kit)
  if (route === 'discovery' && body) lies.discovery?.(body, ctx)
  if (route === 'jwks') lies.jwks?.(ctx)
  const location = ctx.response.get('location') ?? ''
  if (lies.back && location.startsWith(baseUrl)) {
    const url = new URL(location)
    lies.back(url)
    ctx.set('location', url.href)
  }
}

export async function newKey(alg: string, kid: string): Promise<jose.JWK> {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true })
  return { ...(await jose.exportJWK(privateKey)), kid, use: 'sig' }
}

const kidFor = (algorithm: string) => (algorithm === 'ES256' ? 'ec' : 'rsa')

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs any header and claims, also those that a library would refuse. */
async function sign(claims: Claims, header: Claims, keys: jose.JWK[]): Promise<string> {
  return signWith(keys.find(key => key.kid === kidFor(String(header.alg))) ?? {}, claims, header)
}

/** The same with any key. */
export async function signWith({ use: _, ...jwk }: jose.JWK, claims: Claims, header: Claims): Promise<string> {
  const alg = String(header.alg)
  const data = `${part(header)}.${part(claims)}`
  const name = { RS256: 'RSASSA-PKCS1-v1_5', PS256: 'RSA-PSS', ES256: 'ECDSA' }[alg] ?? 'RSASSA-PKCS1-v1_5'
  const algorithm = { name, hash: 'SHA-256', saltLength: 32, namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', jwk as JsonWebKey, algorithm, false, ['sign'])
  return `${data}.${Buffer.from(await crypto.subtle.sign(algorithm, key, Buffer.from(data))).toString('base64url')}`
}

/** With a shared secret. */
export function signSymmetric(secret: string, claims: Claims, header: Claims): string {
  const data = `${part({ ...header, alg: 'HS256' })}.${part(claims)}`
  return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`
}

/** A token that no one signed. */
export const unsigned = (claims: Claims, header: Claims) => `${part({ ...header, alg: 'none' })}.${part(claims)}.`

/** Follows the provider's redirects, as a browser would, to the address that leads back to Rollcall. */
export async function throughProvider(start: string, baseUrl: string, jar = new Map<string, string>()): Promise<URL> {
  let url = new URL(start)
  for (let step = 0; step < 10; step += 1) {
    if (url.origin === baseUrl) return url
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name && value !== undefined) jar.set(name, value)
    }
    const location = answer.headers.get('location')
    if (!location) throw new Error(`${url.pathname} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`)
    url = new URL(location, url)
  }
  throw new Error('the provider redirects again and again')
}

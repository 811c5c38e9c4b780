/** Access tokens for XOAUTH2 (RFC 6749 §4.4 and §6): fetched when needed, cached until shortly before they expire. */
import type { SmtpOauth } from '../../config/smtp.ts'
import { inOneLine } from './reply.ts'

const timeoutMs = 15_000
const maxAnswerBytes = 65_536
const renewBeforeMs = 60_000

/** `isRefused` asks for a new token. Rejects with a message for the operator. */
export function tokenSource(oauth: SmtpOauth): (isRefused?: boolean) => Promise<string> {
  let known: { token: string; until: number } | undefined
  let asking: Promise<string> | undefined
  let { refreshToken } = oauth

  async function ask(): Promise<string> {
    const answer = await post(oauth, refreshToken)
    // some servers rotate it; the new one is used until the next restart
    if (typeof answer.refresh_token === 'string') refreshToken = answer.refresh_token
    if (
      typeof answer.access_token !== 'string' ||
      answer.access_token === '' ||
      /[^\x20-\x7e]/.test(answer.access_token)
    )
      throw new Error('SMTP_OAUTH_TOKEN_URL: the token server’s response has no access token')
    const seconds = Number(answer.expires_in)
    const lasts = seconds > 0 ? seconds * 1000 : 300_000
    known = { token: answer.access_token, until: Date.now() + lasts - Math.min(renewBeforeMs, lasts / 2) }
    return known.token
  }

  return isRefused => {
    if (known && !isRefused && Date.now() < known.until) return Promise.resolve(known.token)
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}

async function post(oauth: SmtpOauth, refreshToken: string | undefined): Promise<Record<string, unknown>> {
  const { tokenUrl, clientId, clientSecret, scope } = oauth
  const body = new URLSearchParams({
    grant_type: refreshToken ? 'refresh_token' : 'client_credentials',
    client_id: clientId,
    ...(clientSecret ? { client_secret: clientSecret } : {}),
    ...(refreshToken ? { refresh_token: refreshToken } : {}),
    ...(scope ? { scope } : {})
  })
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body,
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs)
  }).catch((error: Error & { cause?: { code?: string } }) => {
    const why =
      error.name === 'TimeoutError' ? `timed out after ${timeoutMs / 1000} s` : (error.cause?.code ?? error.message)
    throw new Error(`SMTP_OAUTH_TOKEN_URL: could not reach the token server ${new URL(tokenUrl).host} (${why})`)
  })
  const answer = parse(await readBounded(response))
  if (response.ok) return answer
  throw new Error(refusal(response.status, answer))
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxAnswerBytes) throw new Error('SMTP_OAUTH_TOKEN_URL: the token server’s response is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const settingsFor: Record<string, string> = {
  invalid_client: 'SMTP_OAUTH_CLIENT_ID and SMTP_OAUTH_CLIENT_SECRET',
  unauthorized_client: 'SMTP_OAUTH_CLIENT_ID',
  invalid_grant: 'SMTP_OAUTH_REFRESH_TOKEN',
  invalid_scope: 'SMTP_OAUTH_SCOPE'
}

function refusal(status: number, { error, error_description: description }: Record<string, unknown>): string {
  if (status >= 300 && status < 400)
    return `SMTP_OAUTH_TOKEN_URL: the token server redirects (${status}); enter its final URL`
  const words = [error, description].filter(each => typeof each === 'string').join(': ')
  const setting = settingsFor[String(error)] ?? 'SMTP_OAUTH_TOKEN_URL'
  return `Check ${setting}: the token server refused with ${status}${words ? ` ${inOneLine(words).slice(0, 300)}` : ''}`
}

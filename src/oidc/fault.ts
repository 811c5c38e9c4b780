/** What went wrong with a provider, in words for the person and for an admin. Never the error itself: it may hold tokens and keys. */
import * as client from 'openid-client'
import { OutboundRefusal } from '../outbound/fetch.ts'
import { AnyTenant } from './connection.ts'
import { WrongToken } from './identity.ts'

export interface ProviderFault {
  text: string
  /** For admins, the log and the test page; null: nothing more is known. */
  detail: string | null
  /** The person or the provider said no; nothing is broken. */
  isDenied: boolean
}

const cut = (text: unknown) => (typeof text === 'string' && text !== '' ? text.slice(0, 300) : undefined)

/** Why a sign-in at the provider failed. Never throws. */
export async function faultOf(error: unknown): Promise<ProviderFault> {
  if (error instanceof WrongToken)
    return broken(
      'The answer of your organization’s provider cannot be trusted',
      `${error.message} (claim “${error.claim}”)`
    )
  if (error instanceof AnyTenant)
    return broken('The provider accepts accounts of any organization', 'Use an issuer with your tenant’s ID')
  const said = await saidBy(error)
  if (error instanceof client.AuthorizationResponseError) return refused(said)
  if (said.error) return broken('The provider refused the sign-in', wordsOf(said))
  const inside = [error, causeOf(error)].find(each => each instanceof OutboundRefusal && each.code === 'ADDRESS')
  if (inside instanceof OutboundRefusal)
    return broken('The provider is at a private address', `${inside.message}. ${howInside}`)
  const detail = detailOf(error)
  return isUnreachable(error)
    ? broken('Your organization’s provider cannot be reached', detail)
    : broken('The answer of your organization’s provider cannot be trusted', detail)
}

const howInside =
  'Inside your network, Rollcall connects only to the host and port of OIDC_ISSUER, which the operator sets in the environment'

const broken = (text: string, detail: string | null): ProviderFault => ({ text, detail, isDenied: false })

function refused(said: SaidError): ProviderFault {
  const isDenied = said.error === 'access_denied' || said.error === 'login_required'
  return {
    text: isDenied ? 'The sign-in was canceled' : 'The provider refused the sign-in',
    detail: wordsOf(said),
    isDenied
  }
}

interface SaidError {
  error: string | undefined
  description: string | undefined
}

const wordsOf = ({ error, description }: SaidError) => [error, description].filter(Boolean).join(': ') || null

/** The provider’s words are in three places, depending on the error. */
async function saidBy(error: unknown): Promise<SaidError> {
  if (error instanceof client.WWWAuthenticateChallengeError) {
    const body: unknown = await error.response.json().catch(() => ({}))
    const [challenge] = error.cause
    const from = { ...challenge?.parameters, ...(typeof body === 'object' ? body : {}) } as Record<string, unknown>
    return { error: cut(from.error) ?? `HTTP ${error.status}`, description: cut(from.error_description) }
  }
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError)
    return { error: cut(error.error), description: cut(error.error_description) }
  return { error: undefined, description: undefined }
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)

function detailOf(error: unknown): string | null {
  const reasons = [error, causeOf(error)].flatMap(each => (each instanceof Error ? [cut(each.message)] : []))
  return [...new Set(reasons.filter(Boolean))].join(': ') || null
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EPIPE'
])

function isUnreachable(error: unknown): boolean {
  return [error, causeOf(error)].some(each => {
    if (each instanceof OutboundRefusal) return true
    if (each instanceof DOMException && (each.name === 'TimeoutError' || each.name === 'AbortError')) return true
    const code = each instanceof Error && 'code' in each ? String(each.code) : ''
    return networkCodes.has(code) || code === 'OAUTH_TIMEOUT' || /CERT|TLS|SSL/.test(code)
  })
}

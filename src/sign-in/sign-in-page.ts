/** The pages of signing in and out. */
import type { FastifyReply } from 'fastify'
import { waitInWords } from '../lib/duration.ts'
import type { Doors } from '../sessions/doors.ts'
import { waysIn } from '../sessions/ways-in-page.ts'
import type { Deps } from '../web/deps.ts'
import { statusOf, textOf } from '../web/errors.ts'
import type { SignInOutcome } from './sign-in.ts'

/** Told only to someone who entered the right password. */
export const changeFirst = {
  expired: 'Your directory password has expired. Change it there',
  'must-change': 'You have to change your directory password before you can use it here. Change it in the directory'
}
export const unavailable = 'Could not reach your organization’s directory. Try again in a minute.'
export const late = 'That step took longer than ten minutes. Sign in again.'
export const wrong = 'Wrong email or password.'
const providerOnly = 'Only owners sign in with a password. Use your organization’s account instead.'

export function refusalOf(
  reply: FastifyReply,
  outcome: Exclude<SignInOutcome, { outcome: 'signed-in' }>,
  wrong: string
) {
  if (outcome.outcome === 'unavailable') return { error: unavailable, status: 503 }
  if (outcome.outcome === 'expired' || outcome.outcome === 'must-change')
    return { error: `${changeFirst[outcome.outcome]}, then sign in.`, status: 422 }
  if (outcome.outcome === 'busy') {
    reply.header('retry-after', String(outcome.full.retryAfterSeconds))
    return { error: textOf(outcome.full), status: statusOf(outcome.full) }
  }
  if (outcome.outcome === 'provider-only') return { error: providerOnly, status: 422 }
  if (outcome.outcome !== 'too-many') return { error: wrong, status: 422 }
  reply.header('retry-after', String(outcome.retryAfterSeconds))
  return { error: `Too many attempts. Wait ${waitInWords(outcome.retryAfterSeconds)} and try again.`, status: 429 }
}

interface LinkView {
  next: string
  kept: string
  ticket: string
  error?: string
  status?: number
}

/** The step between the directory's password and an account that has a Rollcall password. */
export function linkPage(reply: FastifyReply, { next, kept, ticket, error, status = 200 }: LinkView) {
  reply.header('cache-control', 'no-store')
  const title = error ? 'Error: Link your accounts' : 'Link your accounts'
  return reply.page('sign-in/link', { title, status }, { next, kept, ticket, error: error ?? null })
}

interface SignInView {
  next: string
  /** What was entered after the session had ended, sealed. */
  kept?: string
  email?: string
  error?: string
  status?: number
  /** The password's form was asked for, where only owners have one. */
  asksPassword?: boolean
  /** A new password was set by an emailed link. */
  isReset?: boolean
}

export async function signInPage({ db }: Deps, doors: Doors, reply: FastifyReply, view: SignInView) {
  const { next, kept = '', email = '', error, status = 200, asksPassword = false, isReset = false } = view
  return reply.page(
    'sign-in/index',
    { title: error ? 'Error: Sign in' : 'Sign in', status },
    {
      next,
      kept,
      email,
      error: error ?? null,
      isReset,
      isSetUp: reply.request.organization !== null,
      ...(await waysIn(db, doors, next, asksPassword))
    }
  )
}

/** The session here has ended; the provider's is next. */
export function signedOutPage(reply: FastifyReply, href: string) {
  reply.header('refresh', `0;url=${href}`)
  return reply.page('sign-in/signed-out', { title: 'Signed out' }, { href })
}

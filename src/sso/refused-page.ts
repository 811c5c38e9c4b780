/** Why a sign-in at the provider led nowhere, and what to do about it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AttemptRow } from '../oidc/attempts-store.ts'
import type { ProviderFault } from '../oidc/fault.ts'
import { organizationOf } from '../organization/store.ts'
import type { Deps } from '../web/deps.ts'
import type { Entering, Refused } from './enter.ts'

interface Words {
  heading: string
  text: string
  next: string
}

export async function refusedPage({ db }: Deps, reply: FastifyReply, { identity }: Entering, refused: Refused) {
  const { organization } = await organizationOf(db)
  const invited = refused.outcome === 'other-person' ? refused.invited : ''
  const said = words[refused.outcome]({ email: identity.email ?? 'no address', organization, invited })
  const status = refused.outcome === 'closed' ? 410 : 403
  return reply.page('sso/refused', { title: said.heading, status }, { ...said, detail: null })
}

type Circumstances = { email: string; organization: string; invited: string }

const words: Record<Refused['outcome'], (now: Circumstances) => Words> = {
  'no-email': () => ({
    heading: 'Your account has no email address',
    text: 'The provider did not send the claim “email”, so Rollcall cannot tell who you are.',
    next: 'Ask an admin to release the email address to Rollcall at the provider.'
  }),
  'unreadable-email': ({ email }) => ({
    heading: 'Your account’s email address cannot be read',
    text: `The provider says that your address is “${email}”.`,
    next: 'Ask an admin to correct it at the provider.'
  }),
  unverified: ({ email }) => ({
    heading: 'Your email address is not verified',
    text: `The provider does not confirm that ${email} is yours: the claim “email_verified” is missing or false.`,
    next: 'Verify your address at the provider. Owners can also trust the provider for a domain at Settings › Sign-in.'
  }),
  'not-invited': ({ email, organization }) => ({
    heading: 'You are not invited yet',
    text: `You signed in as ${email}, but ${organization} has not invited this address.`,
    next: 'Ask an admin to invite you. If you were invited at another address, open the link in that email.'
  }),
  deactivated: ({ email, organization }) => ({
    heading: 'Your account is deactivated',
    text: `The Rollcall account of ${email} was deactivated.`,
    next: `Ask the admins of ${organization}.`
  }),
  'other-account': ({ email, organization }) => ({
    heading: 'This address belongs to another account',
    text: `${email} signs in to Rollcall with another account of the same provider.`,
    next: `Sign in with that account. If it no longer exists, ask an owner of ${organization} to separate it.`
  }),
  'other-person': ({ email, invited }) => ({
    heading: 'This invitation is for another account',
    text: `You signed in as ${email}, but the invitation is for ${invited}.`,
    next: `Sign out at the provider and sign in as ${invited}, or ask for an invitation for ${email}.`
  }),
  closed: () => ({
    heading: 'This invitation can no longer be used',
    text: 'It was used, withdrawn, replaced or expired while you were signing in.',
    next: 'Open the link in the newest email again, or ask for a new invitation there.'
  })
}

/** The provider or the way to it failed; `detail` is for owners who test. */
export async function faultPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { text, detail, isDenied }: ProviderFault,
  { purpose }: Pick<AttemptRow, 'purpose'>
) {
  const isTest = purpose === 'test' && request.viewer?.role === 'owner'
  const next = isDenied
    ? 'Nothing was changed. Try again, and sign in at the provider.'
    : 'Try again in a minute. If it stays like this, tell an admin: the server’s log says more.'
  return reply.page(
    'sso/refused',
    { title: text, status: isDenied ? 403 : 502 },
    {
      heading: `${text}.`,
      text: isTest ? 'The test did not succeed. Nothing was changed.' : 'You are not signed in.',
      next: isTest ? 'Correct the settings at Settings › Sign-in, save them, and test again.' : next,
      detail: isTest ? detail : null
    }
  )
}

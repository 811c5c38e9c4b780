import type { FastifyReply, FastifyRequest } from 'fastify'
import type { InvitationRow } from '../invitations/store.ts'
import { waitInWords } from '../lib/duration.ts'
import { first } from '../lib/ends.ts'
import { organizationOf } from '../organization/store.ts'
import { isNameKept } from '../people/person.ts'
import { findPerson } from '../people/store.ts'
import type { CheckDirectoryPassword, DirectoryAnswer } from '../sessions/directory-sign-in.ts'
import { changeFirst, unavailable } from '../sign-in/sign-in-page.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import type { FieldErrors } from '../web/forms.ts'

const unclear =
  'Rollcall cannot tell which directory entry is yours. Its admins can see why on your page; ask the people who invited you.'

export function refusedPage(
  deps: Deps,
  reply: FastifyReply,
  request: FastifyRequest,
  invitation: InvitationRow,
  {
    name,
    ways,
    answer,
    errors
  }: { name: string; ways: JoinWays; answer: Exclude<DirectoryAnswer, { outcome: 'right' }>; errors: FieldErrors }
) {
  const show = (password: string, status: number) =>
    joinPage(deps, reply, request, invitation, {
      name,
      ways,
      errors: { ...errors, password },
      status
    })
  if (answer.outcome === 'unavailable') {
    request.log.warn({ reason: answer.reason }, 'the directory cannot check passwords')
    return show(unavailable, 503)
  }
  if (answer.outcome === 'unclear') return show(unclear, 422)
  if (answer.outcome === 'expired' || answer.outcome === 'must-change')
    return show(`${changeFirst[answer.outcome]}, then try again.`, 422)
  if (answer.outcome === 'wrong') return show('That is not the directory password for this address.', 422)
  reply.header('retry-after', String(answer.retryAfterSeconds))
  return show(`Too many attempts. Wait ${waitInWords(answer.retryAfterSeconds)} and try again.`, 429)
}

/** How an invited person can join now. */
export interface JoinWays {
  directory: CheckDirectoryPassword | undefined
  provider: string | undefined
  /** With a password: the directory's, or one chosen here. */
  hasPassword: boolean
}

interface JoinView {
  /** What was typed, or the known name before that. */
  name?: string
  ways: JoinWays
  errors?: FieldErrors
  status?: number
}

export async function joinPage(
  { db }: Deps,
  reply: FastifyReply,
  request: FastifyRequest,
  invitation: InvitationRow,
  { name, ways, errors = {}, status = 200 }: JoinView
) {
  const [organization, person] = await Promise.all([organizationOf(db), findPerson(db, invitation.personId)])
  const { organization: joined, timeZone } = organization
  return reply.page(
    'sign-up/join',
    { title: `${status === 200 ? '' : 'Error: '}Join ${joined}`, status },
    {
      action: pathOf(request.url),
      organization: joined,
      inviter: invitation.inviterName,
      email: invitation.email,
      expires: showDay(invitation.expiresAt, timeZone),
      values: { name: name ?? person?.name ?? '' },
      isNameKept: person !== undefined && isNameKept(person),
      isDirectoryPassword: ways.directory !== undefined,
      hasPassword: ways.hasPassword,
      provider: ways.provider ? { name: ways.provider, href: `${pathOf(request.url)}/oidc` } : null,
      errors,
      signedInAs: request.viewer?.email ?? null
    }
  )
}

const pathOf = (url: string) => first(url.split('?', 1))

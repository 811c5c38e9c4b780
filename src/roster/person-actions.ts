import { stateOf } from '../invitations/invitation.ts'
import type { Ending } from '../invitations/inviter-store.ts'
import { canHandle } from '../invitations/may-handle.ts'
import type { InvitationRow } from '../invitations/store.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { number } from '../lib/words.ts'
import type { findPerson } from '../people/store.ts'

type Person = NonNullable<Awaited<ReturnType<typeof findPerson>>>

interface Sent {
  typed: number
  listed: number
}

interface Choice {
  name: string
  label: string
  value: string
  options: [string, string][]
  hint: string
}

interface Sheet {
  id: string
  heading: string
  text: string
  choice: Choice | null
  button: string
  keep: string
}

interface Action {
  href: string
  label: string
  icon: string
  primary: boolean
  sheet: Sheet | null
}

export function actionsOf(
  person: Person,
  newest: InvitationRow | undefined,
  viewer: { id: number; role: Role },
  { isSuppressed, sent }: { isSuppressed: boolean; sent: Sent }
): Action[] {
  const act = (href: string, label: string, icon: string, primary = false, sheet: Action['sheet'] = null): Action => ({
    href,
    label,
    icon,
    primary,
    sheet
  })
  const mayChange = viewer.role === 'owner' || !includesRole(person.role, 'admin')
  if (person.enrollment === 'signed-up')
    return mayChange && viewer.id !== person.id
      ? [act(`/people/${person.id}/deactivation`, 'Deactivate…', 'minus', false, deactivationSheet(person, sent))]
      : []
  if (person.enrollment === 'deactivated')
    return mayChange ? [act(`/people/${person.id}/reactivation`, 'Reactivate', 'check', true)] : []
  const open = newest && stateOf(newest) === 'open' ? newest : undefined
  const mail = isSuppressed
    ? act(`/people/${person.id}/mail-permission`, 'Allow email again', 'mail', true)
    : open
      ? act(`/invitations/${open.id}/deliveries`, 'Resend invitation', 'send', true)
      : act(`/people/${person.id}/invitations`, newest ? 'Invite again' : 'Invite', 'send', true)
  if (open && !canHandle(viewer.role, open)) return isSuppressed ? [mail] : []
  if (!open) return [mail]
  return [
    mail,
    act(`/invitations/${open.id}/link`, 'Show link…', 'copy'),
    act(`/invitations/${open.id}/revocation`, 'Revoke invitation…', 'x', false, revocationSheet(person))
  ]
}

const deactivationSheet = (person: Person, sent: Sent): Sheet => ({
  choice: endingChoice(sent),
  id: 'deactivation',
  heading: `Deactivate ${person.name ?? person.email}?`,
  text: 'This person is signed out everywhere and can no longer sign in. You can reactivate them later.',
  button: 'Deactivate',
  keep: 'Keep active'
})

const revocationSheet = (person: Person): Sheet => ({
  choice: null,
  id: 'revocation',
  heading: 'Revoke this invitation?',
  text: `The link for ${person.email} stops working. You can invite this person again later.`,
  button: 'Revoke invitation',
  keep: 'Keep invitation'
})

/** Typed invitations were the user's own choice and end by default; a list is the organization's and stays. */
function endingChoice({ typed, listed }: Sent): Choice | null {
  if (typed + listed === 0) return null
  const options: [Ending, string][] = [['none', 'Keep them all open']]
  if (listed > 0) options.unshift(['all', `Revoke all ${number(typed + listed)}`])
  if (typed > 0) options.unshift(['typed', `Revoke the ${number(typed)} typed by hand`])
  return {
    name: 'invitations',
    label: 'Open invitations that this user sent',
    options,
    value: typed > 0 ? 'typed' : 'none',
    hint: `${number(typed)} typed by hand, ${number(listed)} by file or group.`
  }
}

import type { membershipSources } from '../db/schema.ts'

export type MembershipSource = (typeof membershipSources)[number]

export const sourceWords: Record<MembershipSource, string> = {
  directory: 'from the directory',
  hand: 'by hand',
  invitation: 'by invitation',
  'sign-in': 'by a claim at sign-in'
}

/** Why a person is in a team, as a sentence without its full stop. */
export function reasonInWords({ source, via }: { source: MembershipSource; via: string | null }): string {
  if (source === 'directory') return via === null ? 'In the directory group' : `Through the group “${via}”`
  if (source === 'sign-in') return `Named by the provider at sign-in${via === null ? '' : `: “${via}”`}`
  if (source === 'invitation') return 'Joined by an invitation for this team'
  if (via === 'kept') return 'Was in the directory group when syncing stopped'
  return via?.startsWith('run:') ? 'Put back by hand after a sync had removed it' : 'Added by hand'
}

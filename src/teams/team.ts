/** A team: a named set of people, and the reasons for which somebody is in it. Pure. */
import type { membershipSources } from '../db/schema.ts'

export type MembershipSource = (typeof membershipSources)[number]

/** A reason in a few words, as lists and a person's page show it. */
export const sourceWords: Record<MembershipSource, string> = {
  directory: 'from the directory',
  hand: 'by hand',
  invitation: 'by invitation'
}

/** Why somebody is in a team, as a sentence without its full stop. */
export function reasonInWords({ source, via }: { source: MembershipSource; via: string | null }): string {
  if (source === 'directory')
    return via === null ? 'In the directory group' : `In the directory group, by way of ${via}`
  if (source === 'invitation') return 'Joined by an invitation for this team'
  if (via === 'kept') return 'Was in the directory group when syncing it was stopped'
  return via?.startsWith('run:') ? 'Put back by hand after a sync had removed it' : 'Added by hand'
}

/** Teams from the provider's groups claim: only values that an owner mapped count. */
import { recentEvent, recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import type { Groups } from '../oidc/identity.ts'
import type { Provider } from '../oidc/settings.ts'
import { applyClaims, lockTeamsNamed, type NamedTeam } from '../teams/claims-store.ts'
import type { Entering } from './enter.ts'

export async function lockMapped(tx: Db, { groupsClaim, teams }: Provider): Promise<NamedTeam[]> {
  return groupsClaim === null || teams.length === 0
    ? []
    : lockTeamsNamed(
        tx,
        teams.map(({ team }) => team)
      )
}

export function teamsNamed(mapped: readonly NamedTeam[], values: readonly string[], { teams }: Provider): NamedTeam[] {
  const names = new Set(teams.filter(({ value }) => values.includes(value)).map(({ team }) => team.toLowerCase()))
  return mapped.filter(({ name }) => names.has(name.toLowerCase()))
}

/** Applies the claim of this sign-in. One that is absent, abbreviated or unreadable changes nothing and is reported, once a day. */
export async function applyGroups(
  tx: Db,
  personId: number,
  mapped: readonly NamedTeam[],
  { identity, provider }: Pick<Entering, 'identity' | 'provider'>
): Promise<void> {
  const { groups } = identity
  if (mapped.length === 0) return
  if ('unknown' in groups) return noteTrouble(tx, groups.unknown, provider)
  const named = teamsNamed(mapped, groups.values, provider)
  const changes = await applyClaims(tx, personId, mapped, new Set(named.map(({ id }) => id)))
  if (changes.added + changes.removed > 0)
    await recordEvent(tx, { kind: 'teams-from-claim', actorId: null, personId, details: { ...changes } })
}

async function noteTrouble(tx: Db, why: Extract<Groups, { unknown: string }>['unknown'], { groupsClaim }: Provider) {
  if (await recentEvent(tx, 'groups-claim-missing', 1)) return
  await recordEvent(tx, { kind: 'groups-claim-missing', actorId: null, details: { claim: groupsClaim ?? '', why } })
}

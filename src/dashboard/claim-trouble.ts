import { listEvents, recentEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'

const words: Record<string, (claim: string) => { heading: string; hint: string }> = {
  absent: claim => ({
    heading: `The provider did not send the claim ${claim}.`,
    hint: 'Add it to the ID token at the provider.'
  }),
  'too-many': claim => ({
    heading: `The provider left out the claim ${claim}, because someone is in too many groups.`,
    hint: 'Send only the groups that are assigned to Rollcall.'
  }),
  unreadable: claim => ({
    heading: `The claim ${claim} could not be read.`,
    hint: 'It must be a list of texts: correct it at the provider.'
  })
}

/** Why teams did not follow the provider at a sign-in of the last day; null: they did. */
export async function claimTrouble(db: Db): Promise<{ heading: string; hint: string } | null> {
  if (!(await recentEvent(db, 'groups-claim-missing', 1))) return null
  const [event] = await listEvents(db, { kind: 'groups-claim-missing' }, 1)
  return words[String(event?.details.why)]?.(`“${event?.details.claim ?? ''}”`) ?? null
}

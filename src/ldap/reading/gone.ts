/** Who has left the directory: an id that no search finds is no proof (docs/decisions/0011 and 0015). */
import type { Session } from '../session.ts'
import { dnKey, isBelow } from '../syntax/dn.ts'
import { idOf } from '../syntax/identifier.ts'
import { judge, type Verdict } from './leftovers.ts'
import { inFlight, readsInFlight, unlessOwnFault } from './look-up.ts'

export async function goneAmong(session: Session, people: { id: string; dn: string | null }[]): Promise<string[]> {
  const doing = 'Looking for people who left the directory'
  const verdictOf = judge(session, doing)
  const gone: string[] = []
  const ask = async ({ id, dn }: { id: string; dn: string | null }) => {
    const key = dn === null ? undefined : dnKey(dn)
    // the base was narrowed, or there was never a DN: the search by id is all we have
    if (dn === null || !key || !isBelow(key, session.base)) return [id]
    const verdict = await verdictOf(dn)
    return typeof verdict === 'string' && (await isProof(session, dn, verdict, doing)) ? [id] : []
  }
  for await (const id of inFlight(readsInFlight, people, ask)) gone.push(id)
  return gone
}

async function isProof(session: Session, dn: string, verdict: Verdict, doing: string): Promise<boolean> {
  if (verdict === 'dangling') return true
  if (verdict === 'elsewhere') return false
  // these servers never distinguish hidden from missing
  if (verdict === 'hidden') return !session.defaults.namesNearest
  // another entry has the DN now, or the filter excludes this one; an entry that hides its id proves nothing
  const { id } = session.names
  const entry = await session.read(dn, [id], doing).catch(unlessOwnFault)
  return entry !== undefined && idOf(id, entry.bytes(id)) !== null
}

/** Members that no search finds as people or groups: other, missing, or hidden from us (docs/decisions/0011). */
import { isForeignPrincipal } from '../schema/person.ts'
import type { Session } from '../session.ts'
import { dnKey, isBelow, keyOf, parentOf } from '../syntax/dn.ts'
import { Entry } from '../syntax/entry.ts'
import { everything } from '../syntax/literal.ts'
import { RefusedOperation } from '../wire/words.ts'
import type { Gathering } from './gathering.ts'
import { inFlight, readsInFlight, unlessOwnFault } from './look-up.ts'

const placesNamed = 3

/** Counts each of these DNs for what it is, and adds a problem when some may be hidden or unreadable people. */
export async function judgeLeftovers({ session, counts, problems, away }: Gathering, dns: string[], doing: string) {
  const verdictOf = judge(session, doing)
  const judged = async (dn: string) => [{ dn, verdict: await verdictOf(dn) }]
  const hidden = new Map<string, number>()
  const unread: string[] = []
  for await (const { dn, verdict } of inFlight(readsInFlight, dns, judged)) {
    if (typeof verdict === 'object') {
      unread.push(verdict.message)
      continue
    }
    const key = keyOf(dn)
    const place = parentOf(key) ?? ''
    if (verdict === 'hidden') hidden.set(place, (hidden.get(place) ?? 0) + 1)
    else counts[verdict] += 1
    if (verdict === 'principals') counts.contacts += 1
    if (verdict === 'elsewhere') away.push(key)
  }
  if (unread.length > 0) problems.push(`${unread.length} of its members could not be read. ${unread[0]} Try again`)
  if (hidden.size === 0) return
  const count = [...hidden.values()].reduce((sum, each) => sum + each, 0)
  const more = hidden.size > placesNamed ? ` and ${hidden.size - placesNamed} more places` : ''
  problems.push(
    `${count} of its members are missing or hidden; the bind account cannot tell which. They are below ${[...hidden.keys()].slice(0, placesNamed).join(' and ')}${more}: let it read there, remove them from the group, or exclude them in the settings`
  )
}

/** `hidden`: missing or hidden, which cannot be distinguished. */
export type Verdict = 'principals' | 'others' | 'dangling' | 'elsewhere' | 'hidden'

export function judge(session: Session, doing: string): (dn: string) => Promise<Verdict | RefusedOperation> {
  const seen = new Map<string, Promise<boolean>>()

  async function look(dn: string): Promise<Verdict | RefusedOperation> {
    const key = keyOf(dn)
    const answer = await readOrNearest(session, dn, doing)
    if (answer instanceof Entry && answer.key === key) return isForeignPrincipal(answer) ? 'principals' : 'others'
    // an excluded person need not be visible
    if (session.exclusions(key, [])) return 'others'
    if (answer instanceof RefusedOperation)
      return answer.code === 10 ? 'elsewhere' : answer.code === 34 ? 'dangling' : answer
    return typeof answer === 'string' && (await isGone(key, answer)) ? 'dangling' : 'hidden'
  }

  async function isGone(key: string, nearest: string) {
    const above = session.defaults.namesNearest ? dnKey(nearest) : parentOf(key)
    return !!above && above !== key && isBelow(key, above) && isBelow(above, session.base) && isVisible(above)
  }

  function isVisible(dn: string) {
    const found =
      seen.get(dn) ??
      session
        .read(dn, ['objectClass'], doing)
        .catch(unlessOwnFault)
        .then(entry => entry !== undefined)
    seen.set(dn, found)
    return found
  }

  return look
}

/** The entry, or the nearest existing one above. Success without an entry, or a lack of rights, may hide it. */
async function readOrNearest(
  session: Session,
  base: string,
  doing: string
): Promise<Entry | RefusedOperation | string | undefined> {
  const search = { base, scope: 'base' as const, filter: everything, attributes: ['objectClass'], doing }
  try {
    return (await session.search(search))[0]
  } catch (error) {
    if (error instanceof RefusedOperation && error.code === 32) return error.matchedDn
    if (error instanceof RefusedOperation && error.code === 50) return undefined
    unlessOwnFault(error)
    return error as RefusedOperation
  }
}

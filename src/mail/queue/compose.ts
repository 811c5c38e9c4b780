/** Composes what was claimed, and keeps an email that cannot be composed from holding up the others. */
import { attempt, type Db } from '../../db/client.ts'
import { isPassing, reasonOf } from '../../db/faults.ts'
import type { Claimed, Composed } from '../delivery.ts'
import { inOneLine } from '../wire/reply.ts'
import type { DeliverDeps } from './deps.ts'

export async function compose(tx: Db, { composers }: DeliverDeps, claimed: Claimed[]): Promise<Map<number, Composed>> {
  const all = new Map<number, Composed>()
  for (const [kind, deliveries] of Map.groupBy(claimed, ({ kind }) => kind)) {
    const composer = composers[kind]
    if (!composer) throw new Error(`There is no composer for emails of the kind "${kind}"`)
    for (const [id, result] of await composer(tx, deliveries)) all.set(id, result)
  }
  return all
}

/** Bisects until the email that cannot be composed is alone. Only after a failed claim: each try costs two trips. */
export async function composeSingly(tx: Db, deps: DeliverDeps, claimed: Claimed[]): Promise<Map<number, Composed>> {
  try {
    return await attempt(tx, inner => compose(inner, deps, claimed))
  } catch (error) {
    const [first] = claimed
    if (isPassing(error) || !first) throw error
    if (claimed.length === 1) return new Map([[first.id, notComposed(deps, first, error)]])
    const half = claimed.length >> 1
    const left = await composeSingly(tx, deps, claimed.slice(0, half))
    const right = await composeSingly(tx, deps, claimed.slice(half))
    return new Map([...left, ...right])
  }
}

export function notComposed({ log }: DeliverDeps, { id, kind }: Claimed, error: unknown) {
  log.error({ delivery: id, kind, reason: reasonOf(error) }, 'Could not compose an email')
  return { is: 'not-composed' as const, reason: inOneLine(`This email could not be composed: ${reasonOf(error)}`) }
}

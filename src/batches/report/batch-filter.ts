import type { deliveryStates } from '../../db/schema.ts'
import { isKeyOf } from '../../lib/known.ts'
import { searchTerm } from '../../lib/search-text.ts'
import { deliveryBadges } from '../../mail/delivery-badges.ts'
import { type Verdict, verdictWords } from '../recipient.ts'

export interface BatchQuery {
  verdict?: string
  delivery?: string
  q?: string
  after?: string
  problems?: string
  /** The state in which the region that asks was rendered. */
  refresh?: string
}

export interface BatchFilter {
  verdict: Verdict | undefined
  delivery: (typeof deliveryStates)[number] | undefined
  q: string | undefined
}

export function readFilter({ q = '', verdict = '', delivery = '' }: BatchQuery): BatchFilter {
  return {
    q: searchTerm(q),
    verdict: isKeyOf(verdictWords, verdict) ? verdict : undefined,
    delivery: isKeyOf(deliveryBadges, delivery) ? delivery : undefined
  }
}

export const lineOf = (text: string | undefined) => (text && /^\d{1,9}$/.test(text) ? Number(text) : undefined)

import type { deliveryStates } from '../../db/schema.ts'
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
    verdict: Object.hasOwn(verdictWords, verdict) ? (verdict as Verdict) : undefined,
    delivery: Object.hasOwn(deliveryBadges, delivery) ? (delivery as BatchFilter['delivery']) : undefined
  }
}

export const lineOf = (text: string | undefined) => (text && /^\d{1,9}$/.test(text) ? Number(text) : undefined)

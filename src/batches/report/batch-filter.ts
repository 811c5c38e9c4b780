/** What the address of a batch's page asks for. Pure. */

import type { deliveryStates } from '../../db/schema.ts'
import { searchText } from '../../lib/search-text.ts'
import { deliveryBadges } from '../../mail/delivery-badges.ts'
import { type Verdict, verdictWords } from '../recipient.ts'

export interface BatchQuery {
  verdict?: string
  delivery?: string
  q?: string
  /** The lines after this one. */
  after?: string
  /** The problem lines after this one. */
  problems?: string
  /** The state that the region which asks was made in. */
  refresh?: string
}

export interface BatchFilter {
  verdict: Verdict | undefined
  delivery: (typeof deliveryStates)[number] | undefined
  /** From two characters on. */
  q: string | undefined
}

export function readFilter({ q = '', verdict = '', delivery = '' }: BatchQuery): BatchFilter {
  const text = searchText(q)
  return {
    q: [...text].length >= 2 ? text : undefined,
    verdict: Object.hasOwn(verdictWords, verdict) ? (verdict as Verdict) : undefined,
    delivery: Object.hasOwn(deliveryBadges, delivery) ? (delivery as BatchFilter['delivery']) : undefined
  }
}

/** A row's number in a query, or undefined when it is none. */
export const numberOf = (text: string | undefined) => (text && /^\d{1,9}$/.test(text) ? Number(text) : undefined)

/** An address with the parameters that say something. */
export function hrefOf(base: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return given.length > 0 ? `${base}?${new URLSearchParams(given)}` : base
}

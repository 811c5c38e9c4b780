import { cutText } from '../lib/text/cut.ts'

export type Scalar = string | number | boolean | null
export interface Change {
  before: Scalar
  after: Scalar
}
export type Detail = Scalar | Change
export type Details = Record<string, Detail>

export const isChange = (detail: Detail): detail is Change => typeof detail === 'object' && detail !== null

/** What differs, with both values; both have the same names. */
export function changesBetween<T extends Record<string, Scalar>>(before: T, after: T): Record<string, Change> {
  const changed = Object.keys(after).filter(name => (before[name] ?? '') !== (after[name] ?? ''))
  return Object.fromEntries(
    changed.map(name => [name, { before: kept(before[name] ?? null), after: kept(after[name] ?? null) }])
  )
}

const kept = (value: Scalar) => (typeof value === 'string' ? cutText(value, 2000) : value)

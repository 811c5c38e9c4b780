/** Filters from what people type and directories store: values are sent as bytes, never as syntax (S11). */
import { AndFilter, type Filter, OrFilter, PresenceFilter, SearchFilter } from 'ldapts'
import { first } from '../../lib/ends.ts'
import { comparison, substrings } from './filter.ts'

export const equals = (attribute: string, value: Buffer | string): Filter =>
  comparison(SearchFilter.equalityMatch, attribute, typeof value === 'string' ? Buffer.from(value) : value)

export const contains = (attribute: string, text: string): Filter =>
  substrings(attribute, [Buffer.alloc(0), Buffer.from(text), Buffer.alloc(0)])

export const startsWith = (attribute: string, text: string): Filter =>
  substrings(attribute, [Buffer.from(text), Buffer.alloc(0)])

export const has = (attribute: string): Filter => new PresenceFilter({ attribute })

export const allOf = (...filters: Filter[]): Filter =>
  filters.length === 1 ? first(filters) : new AndFilter({ filters })

export const anyOf = (filters: Filter[]): Filter => (filters.length === 1 ? first(filters) : new OrFilter({ filters }))

export const everything = has('objectClass')

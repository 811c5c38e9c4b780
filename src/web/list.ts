export const pageSize = 50

/** The extra row is not shown; it proves that there is a next page. */
export const rowsToRead = pageSize + 1

export interface Page<T, K> {
  rows: T[]
  hasMore: boolean
  next: K | null
}

/** The page that starts `rows`, which were read with the limit `rowsToRead`. */
export function pageOf<T, K>(rows: readonly T[], keyOf: (row: T) => K): Page<T, K> {
  const shown = rows.slice(0, pageSize)
  const last = rows[pageSize - 1]
  const hasMore = rows.length > pageSize
  return { rows: shown, hasMore, next: hasMore && last !== undefined ? keyOf(last) : null }
}

export type Query = Readonly<Record<string, string | number | null | undefined>>

export function hrefOf(path: string, query: Query, changed: Query = {}): string {
  const given = Object.entries({ ...query, ...changed }).flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)]]
  )
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path
}

export function linksOf<K extends string | number>(
  { next }: Page<unknown, K>,
  isLater: boolean,
  href: (after: K | null) => string
): { first: string | null; next: string | null } {
  return { first: isLater ? href(null) : null, next: next === null ? null : href(next) }
}

/** A query parameter; undefined when it is absent or repeated. */
export function textOf(query: unknown, name: string): string | undefined {
  const value: unknown = Object(query)[name]
  return typeof value === 'string' ? value : undefined
}

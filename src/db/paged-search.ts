/** One page of a long table, found the way that suits how rare the matches are. */
import { type SQL, sql } from 'drizzle-orm'

export interface PagedSearch<T, K> {
  /** Matches among the next `window` rows in order, and whether these are all that are left. */
  near: (window: number) => Promise<{ rows: T[]; isAll: boolean }>
  /** The keys of at most `most` matches, in any order, by way of indexes. */
  keys: (most: number) => Promise<K[]>
  /** The rows of these keys that come next. */
  byKeys: (keys: K[]) => Promise<T[]>
  /** The table in its order, until the page is full. */
  walk: () => Promise<T[]>
}

const window = 2000
const mostRare = 20_000

/**
 * The first `limit` matches in the table's order. Frequent ones stand among the next rows; rare ones have an index; what
 * is neither is walked to. A single statement would leave that choice to estimates, which a million rows punish.
 */
export async function searchPage<T, K>(limit: number, { near, keys, byKeys, walk }: PagedSearch<T, K>): Promise<T[]> {
  const { rows, isAll } = await near(window)
  if (rows.length >= limit || isAll) return rows
  const found = await keys(mostRare + 1)
  return found.length > mostRare ? walk() : byKeys(found)
}

/** Does `text`, in lower case, contain what somebody typed, which means itself whatever it holds? */
export function contains(text: SQL, typed: string): SQL {
  return sql`${text} like lower(${`%${typed.replace(/[\\%_]/g, '\\$&')}%`})`
}

/**
 * The same for an index of trigrams. Two characters make no trigram: they are looked up with every letter that can
 * follow them, and at the end of a word. (Letters beyond Latin do not follow Latin ones.)
 */
export function containsByIndex(text: SQL, typed: string): SQL {
  if (!/^[a-z0-9]{2}$/i.test(typed)) return contains(text, typed)
  return sql`${contains(text, typed)} and ${text} ~ ${`${typed.toLowerCase()}([a-z0-9ß-öø-ž]|[^[:alnum:]]|$)`}`
}

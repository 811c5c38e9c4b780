/** One page of a long table, found the way that suits how rare the matches are. */
import { type SQL, sql } from 'drizzle-orm'
import { spellingsOf } from '../lib/search-text.ts'

export interface PagedSearch<T, K> {
  /** Matches among the next `window` rows in order, and whether these are all that are left. */
  near: (window: number) => Promise<{ rows: T[]; isAll: boolean }>
  /** The keys of at most `most` matches, in any order, by way of indexes. */
  keys: (max: number) => Promise<K[]>
  /** The rows of these keys that come next. */
  byKeys: (keys: K[]) => Promise<T[]>
  /** The table in its order, until the page is full. */
  walk: () => Promise<T[]>
}

const window = 2000
const maxRare = 20_000

/**
 * The first `limit` matches in the table's order. Frequent ones stand among the next rows; rare ones have an index; what
 * is neither is walked to. A single statement would leave that choice to estimates, which a million rows punish.
 */
export async function searchPage<T, K>(limit: number, { near, keys, byKeys, walk }: PagedSearch<T, K>): Promise<T[]> {
  const { rows, isAll } = await near(window)
  if (rows.length >= limit || isAll) return rows
  const found = await keys(maxRare + 1)
  return found.length > maxRare ? walk() : byKeys(found)
}

/** Does `text`, in lower case, contain the typed text, taken literally? */
export function contains(text: SQL, typed: string): SQL {
  const spellings = spellingsOf(typed).map(each => sql`${text} like lower(${`%${literal(each)}%`})`)
  return sql`(${sql.join(spellings, sql` or `)})`
}

const literal = (typed: string) => typed.replace(/[\\%_]/g, '\\$&')

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789ªµºßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ']
for (let code = 0x100; code < 0x180; code += 1) letters.push(String.fromCharCode(code))
const signs = [...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\n\t\u00a0·–—‘’“”„•…']
const following = [...new Set(letters.map(letter => letter.toLowerCase())), ...signs].map(literal)

/**
 * The same for an index of trigrams. Two characters make no trigram: they are looked up with every letter and sign that
 * can follow them, and at the end. (Letters beyond Latin do not follow Latin ones.)
 */
export function containsByIndex(text: SQL, typed: string): SQL {
  if (!/^[a-z0-9]{2}$/i.test(typed)) return contains(text, typed)
  const two = typed.toLowerCase()
  const patterns = [`%${two}`, ...following.map(sign => `%${two}${sign}%`)]
  return sql`${text} like any (${sql.param(patterns)}::text[])`
}

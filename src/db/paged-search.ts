/** One page of a long table, found in the way that suits how rare the matches are. */
import { type SQL, sql } from 'drizzle-orm'
import { spellingsOf } from '../lib/search-text.ts'

export interface PagedSearch<T, K> {
  /** Matches among the next `window` rows, and whether those are all the rows left. */
  near: (window: number) => Promise<{ rows: T[]; isAll: boolean }>
  keys: (max: number) => Promise<K[]>
  byKeys: (keys: K[]) => Promise<T[]>
  walk: () => Promise<T[]>
}

const window = 2000
const maxRare = 20_000

/** The first `limit` matches in order. Not one statement: bad estimates cost seconds in a million rows. */
export async function searchPage<T, K>(limit: number, { near, keys, byKeys, walk }: PagedSearch<T, K>): Promise<T[]> {
  const { rows, isAll } = await near(window)
  if (rows.length >= limit || isAll) return rows
  const found = await keys(maxRare + 1)
  return found.length > maxRare ? walk() : byKeys(found)
}

export function contains(text: SQL, typed: string): SQL {
  const spellings = spellingsOf(typed).map(each => sql`${text} like lower(${`%${literal(each)}%`})`)
  return sql`(${sql.join(spellings, sql` or `)})`
}

const literal = (typed: string) => typed.replace(/[\\%_]/g, '\\$&')

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789ªµºßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ']
for (let code = 0x100; code < 0x180; code += 1) letters.push(String.fromCharCode(code))
const signs = [...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\n\t\u00a0·–—‘’“”„•…']
const following = [...new Set(letters.map(letter => letter.toLowerCase())), ...signs].map(literal)

/** The same for a trigram index. Two characters make no trigram, so every character that can follow them is tried. */
export function containsByIndex(text: SQL, typed: string): SQL {
  if (!/^[a-z0-9]{2}$/i.test(typed)) return contains(text, typed)
  const two = typed.toLowerCase()
  const patterns = [`%${two}`, ...following.map(sign => `%${two}${sign}%`)]
  return sql`${text} like any (${sql.param(patterns)}::text[])`
}

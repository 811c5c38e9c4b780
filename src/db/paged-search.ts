/** One page of a long table, found the way that suits how rare the matches are. */

export interface PagedSearch<T> {
  /** Matches among the next `window` rows in order, and whether these are all that are left. */
  near: (window: number) => Promise<{ rows: T[]; isAll: boolean }>
  /** Matches by way of their own indexes, when there are at most `most` of them; undefined when there are more. */
  rare: (most: number) => Promise<T[] | undefined>
  /** The table in its order, until the page is full. */
  walk: () => Promise<T[]>
}

const window = 2000
const mostRare = 20_000

/**
 * The first `limit` matches in the table's order. Frequent ones stand among the next rows; rare ones have an index; what
 * is neither is walked to. A single statement would leave that choice to estimates, which a million rows punish.
 */
export async function searchPage<T>(limit: number, { near, rare, walk }: PagedSearch<T>): Promise<T[]> {
  const { rows, isAll } = await near(window)
  if (rows.length >= limit || isAll) return rows
  return (await rare(mostRare)) ?? walk()
}

/** What a LIKE pattern needs so that text means itself, anywhere in the row. */
export const containing = (text: string) => `%${text.replace(/[\\%_]/g, '\\$&')}%`

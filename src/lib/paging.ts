/** Reading long tables a page at a time. */

const rowsInPage = 2000

/** Pages of a keyset query: `read` gives up to so many rows after the last one that it gave. */
export async function* pagesOf<T>(read: (limit: number, last: T | undefined) => Promise<T[]>): AsyncGenerator<T[]> {
  let last: T | undefined
  for (;;) {
    const rows = await read(rowsInPage, last)
    yield rows
    last = rows.at(-1)
    if (rows.length < rowsInPage) return
  }
}

const rowsInPage = 2000

/** The pages of a keyset query: `read` returns at most `limit` rows after the last one it returned. */
export async function* pagesOf<T>(read: (limit: number, last: T | undefined) => Promise<T[]>): AsyncGenerator<T[]> {
  let last: T | undefined
  for (;;) {
    const rows = await read(rowsInPage, last)
    yield rows
    last = rows.at(-1)
    if (rows.length < rowsInPage) return
  }
}

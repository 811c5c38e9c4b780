import type { Database } from '../../src/db/client.ts'

/**
 * Every row of every table as text, sorted: what a dump of the database would show, and whether anything changed. It omits
 * when a session was last seen, which is written once a minute for any request.
 */
export async function everyRow(db: Database): Promise<string[]> {
  const sql = db.$client
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public' order by 1`
  const rows = await Promise.all(
    tables.map(async ({ name }) => {
      const found =
        name === 'sessions'
          ? await sql<{ text: string }[]>`select (to_jsonb(t) - 'last_seen_at')::text as text from sessions t`
          : await sql<{ text: string }[]>`select t::text as text from ${sql(name)} t`
      return found.map(({ text }) => `${name} ${text}`)
    })
  )
  return rows.flat().sort()
}

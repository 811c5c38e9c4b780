import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, rowsOf } from '../db/rows.ts'
import { passkeys, totpSecrets } from '../db/schema.ts'
import { first } from '../lib/ends.ts'

export interface Factors {
  /** Codes of an app, confirmed. */
  hasCodes: boolean
  hasPasskey: boolean
}

export async function factorsOf(db: Db, personId: number): Promise<Factors> {
  const codes = sql`select from ${totpSecrets} where person_id = ${personId} and confirmed_at is not null`
  const keys = sql`select from ${passkeys} where person_id = ${personId}`
  return first(
    await rowsOf(db, { hasCodes: bool, hasPasskey: bool })`
      select exists (${codes}) as has_codes, exists (${keys}) as has_passkey`
  )
}

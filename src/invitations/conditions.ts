/** Conditions on an invitation. `i`: the table, or the alias that the statement gives it. */
import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

type Invitation = PgTable | SQL

/** It may have expired. Must equal the condition of the index `invitations_one_open`. */
export const isUnanswered = (i: Invitation) =>
  sql`(${i}.accepted_at is null and ${i}.revoked_at is null and ${i}.superseded_at is null)`

export const isOpen = (i: Invitation) => sql`(${isUnanswered(i)} and ${i}.expires_at > now())`

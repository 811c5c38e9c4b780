/** Conditions on a person, shared by all statements. `p`: the table, or its alias in the statement, as in sql`p`. */
import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Enrollment } from './person.ts'

type Person = PgTable | SQL

export const mayAct = (p: Person) => sql`(${p}.signed_up_at is not null and ${p}.deactivated_at is null)`

export const isActiveOwner = (p: Person) => sql`(${p}.role = 'owner' and ${mayAct(p)})`

/** The newest invitation is open, and the person has not signed up. */
export const hasOpenInvitation = (p: Person) => isWaiting(sql`${p}.stage`, sql`${p}.invitation_expires_at`)

export const isWaiting = (stage: SQL, expiresAt: SQL) => sql`(${stage} = 'invited' and ${expiresAt} > now())`
export const isExpired = (stage: SQL, expiresAt: SQL) => sql`(${stage} = 'invited' and ${expiresAt} <= now())`
export const enrollmentNow = (stage: SQL, expiresAt: SQL) =>
  sql<Enrollment>`(case when ${isExpired(stage, expiresAt)} then 'expired' else ${stage} end)`

/** By the database's clock: deactivated and signed up win, else the newest invitation. */
export const enrollmentOf = (p: Person) => enrollmentNow(sql`${p}.stage`, sql`${p}.invitation_expires_at`)

/** SQL cases from the reason not to invite again to a verdict. `isSuppressed`: whether the address gets no email. */
export const whyNotInvited = (
  p: Person,
  isSuppressed: SQL
) => sql`when ${p}.deactivated_at is not null then 'deactivated'
  when ${p}.signed_up_at is not null then 'active'
  when ${isSuppressed} then 'suppressed'
  when ${hasOpenInvitation(p)} then 'pending'`

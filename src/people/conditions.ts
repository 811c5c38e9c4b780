/** Conditions on a person, written once for all statements. `p`: the table, or the alias that the statement gives it, as in sql`p`. */
import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Enrollment } from './person.ts'

type Person = PgTable | SQL

/** A user who can sign in and act. */
export const mayAct = (p: Person) => sql`(${p}.signed_up_at is not null and ${p}.deactivated_at is null)`

export const isActiveOwner = (p: Person) => sql`(${p}.role = 'owner' and ${mayAct(p)})`

/** The newest invitation is open, and the person has not signed up. */
export const hasOpenInvitation = (p: Person) => isWaiting(sql`${p}.stage`, sql`${p}.invitation_expires_at`)

/** The same for a copy of a person's columns. */
export const isWaiting = (stage: SQL, expiresAt: SQL) => sql`(${stage} = 'invited' and ${expiresAt} > now())`
export const isExpired = (stage: SQL, expiresAt: SQL) => sql`(${stage} = 'invited' and ${expiresAt} <= now())`
export const enrollmentNow = (stage: SQL, expiresAt: SQL) =>
  sql<Enrollment>`(case when ${isExpired(stage, expiresAt)} then 'expired' else ${stage} end)`

/** Enrollment, decided by the database's clock: deactivated and signed up win, else the newest invitation. */
export const enrollmentOf = (p: Person) => enrollmentNow(sql`${p}.stage`, sql`${p}.invitation_expires_at`)

/** Why a person is not invited again, as cases that give a verdict. `isSuppressed`: whether the address gets no email. */
export const whyNotInvited = (
  p: Person,
  isSuppressed: SQL
) => sql`when ${p}.deactivated_at is not null then 'deactivated'
  when ${p}.signed_up_at is not null then 'active'
  when ${isSuppressed} then 'suppressed'
  when ${hasOpenInvitation(p)} then 'pending'`

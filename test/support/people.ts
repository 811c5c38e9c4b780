import { sql } from 'drizzle-orm'
import { inviteTyped } from '../../src/batches/intake/invite-typed.ts'
import { organizationDomains } from '../../src/batches/recipient.ts'
import type { Database } from '../../src/db/client.ts'
import { hashToken, newNonce, tokenOf } from '../../src/lib/secrets/token.ts'
import { domains, secretKey } from './app.ts'

/** Invites the addresses as `actorId` through Rollcall's own function; returns the batch's id. */
export const invite = (db: Database, actorId: number, ...addresses: string[]) =>
  inviteTyped(db, actorId, addresses, organizationDomains(domains))

export interface Invited {
  personId: number
  invitationId: number
  token: string
}

/** Invites one address and returns its link's token. */
export async function inviteOne(db: Database, actorId: number, address: string): Promise<Invited> {
  await invite(db, actorId, address)
  return linkOf(db, address)
}

/** The link of a person's newest invitation; created if no email has been sent yet. */
export async function linkOf(db: Database, address: string): Promise<Invited> {
  const read = () =>
    db.execute<{ id: number; personId: number; nonce: Buffer | null }>(sql`
      select i.id, i.person_id, i.nonce from invitations i join people p on p.invitation_id = i.id
      where p.address_key = lower(${address})`)
  let [row] = await read()
  if (!row) throw new Error(`${address} was never invited`)
  if (!row.nonce) {
    const nonce = newNonce()
    // a worker may be faster
    const hash = hashToken(tokenOf(secretKey, nonce))
    await db.execute(
      sql`update invitations set nonce = ${nonce}, token_hash = ${hash} where id = ${row.id} and nonce is null`
    )
    ;[row] = await read()
  }
  return { personId: row!.personId, invitationId: row!.id, token: tokenOf(secretKey, row!.nonce!) }
}

/** Makes every open invitation of a person expire a moment ago, by the database's clock. */
export async function expire(db: Database, personId: number): Promise<void> {
  await db.execute(sql`update invitations set expires_at = now() - interval '1 second' where person_id = ${personId}`)
  await db.execute(sql`update people set invitation_expires_at = now() - interval '1 second' where id = ${personId}`)
}

/** One row of one statement, for tests that check the database. */
export async function one<T extends Record<string, unknown>>(db: Database, query: ReturnType<typeof sql>): Promise<T> {
  const [row] = await db.execute(query)
  if (!row) throw new Error('no row')
  return row as T
}

export { sql }

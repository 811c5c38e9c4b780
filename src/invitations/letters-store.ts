import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, bytes, int, orNull, rowsOf, text } from '../db/rows.ts'
import { isUnanswered } from './conditions.ts'

export interface InvitationLetter {
  invitationId: number
  nonce: Buffer | null
  tokenHash: Buffer | null
  token?: string | undefined
  email: string
  name: string | null
  organization: string
  timeZone: string
  inviterName: string | null
  inviterEmail: string | null
  expiresAt: string
  isSignedUp: boolean
  isClosed: boolean
  isExpired: boolean
  isSuppressed: boolean
}

const letterColumns = {
  invitationId: int,
  nonce: orNull(bytes),
  tokenHash: orNull(bytes),
  email: text,
  name: orNull(text),
  organization: text,
  timeZone: text,
  inviterName: orNull(text),
  inviterEmail: orNull(text),
  expiresAt: text,
  isSignedUp: bool,
  isClosed: bool,
  isExpired: bool,
  isSuppressed: bool
}

/** Reads and locks the invitations to send; leaves out those that another transaction has locked. */
export async function readInvitationLetters(tx: Db, invitationIds: number[]): Promise<Map<number, InvitationLetter>> {
  if (invitationIds.length === 0) return new Map()
  const rows = await rowsOf(tx, letterColumns)`
    select i.id as "invitationId", i.nonce, i.token_hash as "tokenHash", p.email, p.name, s.organization, s.time_zone as "timeZone",
      coalesce(v.name, v.email) as "inviterName", v.email as "inviterEmail",
      to_char(i.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "expiresAt",
      p.signed_up_at is not null as "isSignedUp",
      not ${isUnanswered(sql`i`)} as "isClosed",
      i.expires_at <= now() as "isExpired", x.address_key is not null as "isSuppressed"
    from invitations i
    join people p on p.id = i.person_id
    join settings s on true
    left join people v on v.id = i.invited_by
    left join suppressions x on x.address_key = p.address_key
    where i.id = any(${sql.param(invitationIds)}::bigint[])
    for no key update of i skip locked`
  return new Map(rows.map(row => [row.invitationId, row]))
}

/** Saves new links, in the transaction that leases their deliveries and holds their invitations' locks. */
export async function keepLinks(
  tx: Db,
  links: { invitationId: number; nonce: Buffer; tokenHash: Buffer }[]
): Promise<void> {
  const ids = links.map(link => link.invitationId)
  const hex = (column: 'nonce' | 'tokenHash') => sql.param(links.map(link => link[column].toString('hex')))
  await tx.execute(sql`
    with former as (
      insert into former_links (token_hash, invitation_id)
      select token_hash, id from invitations where id = any(${sql.param(ids)}::bigint[]) and token_hash is not null
      on conflict do nothing
    )
    update invitations i set nonce = decode(l.nonce, 'hex'), token_hash = decode(l.token_hash, 'hex')
    from unnest(${sql.param(ids)}::bigint[], ${hex('nonce')}::text[], ${hex('tokenHash')}::text[]) as l(id, nonce, token_hash)
    where i.id = l.id`)
}

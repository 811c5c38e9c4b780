/** Carries "this entry's password was right" to the step that asks for the Rollcall password. */
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import type { EntryRef } from '../people/entry-store.ts'

const minutes = 10
const placeOf = (personId: number) => ({ table: 'people', id: personId, column: 'directory_password_at' })

export interface LinkTicket {
  personId: number
  entry: EntryRef
}

export function sealTicket(secretKey: Buffer, { personId, entry }: LinkTicket): string {
  const text = JSON.stringify({ ...entry, at: Date.now() })
  return `${personId}.${sealSecret(secretKey, placeOf(personId), text).toString('base64url')}`
}

/** The ticket, or undefined when it is not ours or older than ten minutes. */
export function openTicket(secretKey: Buffer, ticket: string): LinkTicket | undefined {
  const [, id, sealed] = /^([1-9]\d{0,14})\.([A-Za-z0-9_-]{1,8000})$/.exec(ticket) ?? []
  if (!id || !sealed) return undefined
  const personId = Number(id)
  const text = openSecret(secretKey, placeOf(personId), Buffer.from(sealed, 'base64url'))
  if (text === undefined) return undefined
  const entry: EntryRef & { at: number } = JSON.parse(text)
  return Date.now() - entry.at > minutes * 60_000 ? undefined : { personId, entry: { id: entry.id, dn: entry.dn } }
}

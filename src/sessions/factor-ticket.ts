/** Carries "this person has shown one factor" to the page that asks for the second. */
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import { ticketMinutes } from './session.ts'

export interface FactorTicket {
  /** The waiting session, which names the method. */
  sessionId: number
  personId: number
  next: string
}

const placeOf = (id: number) => ({ table: 'sessions', id, column: 'factor_ticket' })

export function sealFactorTicket(secretKey: Buffer, { sessionId, ...ticket }: FactorTicket): string {
  const text = JSON.stringify({ ...ticket, at: Date.now() })
  return `${sessionId}.${sealSecret(secretKey, placeOf(sessionId), text).toString('base64url')}`
}

/** Undefined when it is not ours or older than ten minutes. */
export function openFactorTicket(secretKey: Buffer, ticket: string | undefined): FactorTicket | undefined {
  const [, id, sealed] = /^([1-9]\d{0,14})\.([\w-]{1,4000})$/.exec(ticket ?? '') ?? []
  if (!id || !sealed) return undefined
  const sessionId = Number(id)
  const text = openSecret(secretKey, placeOf(sessionId), Buffer.from(sealed, 'base64url'))
  if (text === undefined) return undefined
  const { at, personId, next }: FactorTicket & { at: number } = JSON.parse(text)
  return Date.now() - at > ticketMinutes * 60_000 ? undefined : { sessionId, personId, next }
}

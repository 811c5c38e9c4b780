/** OWASP device cookies: a known browser has its own counters, so strangers never lock a user out. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { signatureFor } from '../lib/secrets/token.ts'
import { sendCookie, sendSessionCookie } from './scopes.ts'

/** Users that one browser is known for: people who share a machine. The newest stay. */
const maxUsers = 5
const days = 365

interface Mark {
  personId: number
  nonce: string
  text: string
}

/** Which users have signed in with this browser, by its cookie if it is ours. */
export function readMarks(keys: readonly Buffer[], cookie: string | undefined): Mark[] {
  const parts = (cookie ?? '').slice(0, 1000).split('~').slice(0, maxUsers)
  return parts.flatMap(text => {
    const [, id, nonce, signature] = /^([1-9]\d{0,14})\.([\w-]{22})\.([\w-]{43})$/.exec(text) ?? []
    if (!id || !nonce || !signature) return []
    const isOurs = (key: Buffer) => timingSafeEqual(Buffer.from(signatureOf(key, id, nonce)), Buffer.from(signature))
    return keys.some(isOurs) ? [{ personId: Number(id), nonce, text }] : []
  })
}

export function addMark(keys: readonly [Buffer, ...Buffer[]], cookie: string | undefined, personId: number): string {
  const marks = readMarks(keys, cookie)
  const nonce = marks.find(mark => mark.personId === personId)?.nonce ?? randomBytes(16).toString('base64url')
  const mine = `${personId}.${nonce}.${signatureOf(keys[0], String(personId), nonce)}`
  const others = marks.filter(mark => mark.personId !== personId).map(({ text }) => text)
  return [mine, ...others].slice(0, maxUsers).join('~')
}

const signatureOf = (key: Buffer, id: string, nonce: string) => signatureFor(key, 'browser', `${id}:${nonce}`)

const nameOf = ({ server }: { server: { cookieName: string } }) => `${server.cookieName}-browser`

export const marksOf = (keys: readonly Buffer[], request: FastifyRequest) =>
  readMarks(keys, request.cookies[nameOf(request)])

export function welcome(
  reply: FastifyReply,
  keys: readonly [Buffer, ...Buffer[]],
  personId: number,
  session: string
): void {
  const name = nameOf(reply)
  sendCookie(reply, name, addMark(keys, reply.request.cookies[name], personId), days * 86_400)
  sendSessionCookie(reply, session)
}

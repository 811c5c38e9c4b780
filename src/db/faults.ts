import { DrizzleQueryError } from 'drizzle-orm/errors'
import { codeOf, messageOf } from '../lib/errors.ts'

const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EACCES'])
const driver = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'DATABASE_DEADLINE',
  'DATABASE_UNREACHABLE',
  '57P01', // it is shutting down
  '57P02', // it crashed
  '57P03', // it is starting up
  '57P04', // it was dropped
  '57P05', // it ended an idle session
  '57014', // statement timeout
  '25P03', // it ended an idle transaction
  '25P04', // transaction timeout
  '25006', // it became a standby, or is read-only for another reason
  '53300' // it has no connection left
])

export function isDatabaseAway(error: unknown): boolean {
  const chain = causesOf(error)
  const isQuery = chain.some(each => each instanceof DrizzleQueryError)
  return chain.some(({ code = '', syscall }: NodeJS.ErrnoException) => {
    if (driver.has(code) || /^08[0-9A-Z]{3}$/.test(code)) return true
    return network.has(code) && (isQuery || syscall === 'connect')
  })
}

/** A transaction that loses its own begin or commit fails without saying that the database is unreachable. */
export function inTransaction(error: unknown): unknown {
  if (!network.has(codeOf(error) ?? '') || error instanceof DrizzleQueryError) return error
  return Object.assign(new Error(messageOf(error), { cause: error }), { code: 'CONNECTION_CLOSED' })
}

/** Whether it refuses changes: a standby, such as a former primary after a failover. */
export function isReadOnly(error: unknown): boolean {
  return causesOf(error).some(each => codeOf(each) === '25006')
}

export function isFull(error: unknown): boolean {
  return causesOf(error).some(each => codeOf(each) === '53300')
}

/** Lock timeout, deadlock, serialization failure. */
const passing = new Set(['55P03', '40P01', '40001'])

/** Whether the same statements may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return isDatabaseAway(error) || causesOf(error).some(each => passing.has(codeOf(each) ?? ''))
}

export function violatedUnique(error: unknown): string | undefined {
  const found = causesOf(error).find(each => codeOf(each) === '23505')
  const name = found && 'constraint_name' in found ? found.constraint_name : undefined
  return typeof name === 'string' ? name : undefined
}

export function isMissing(error: unknown): boolean {
  return causesOf(error).some(each => ['42P01', '3F000'].includes(codeOf(each) ?? ''))
}

/** The innermost error's message: outer ones quote statements, which hold addresses. */
export function reasonOf(error: unknown): string {
  const innermost = causesOf(error).at(-1)
  return innermost?.message || codeOf(innermost) || String(error)
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let each = error; each instanceof Error && chain.length < 5; each = each.cause) chain.push(each)
  return chain
}

import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { type Static, type TProperties, Type } from 'typebox'
import { Refusal } from './errors.ts'

const formBytes = 64 * 1024

type Fields = Record<string, string | string[]>

/** Fields of one form or query. Rollcall's largest form is a page of a group with everyone selected: 608. */
export const maxFields = 800

/** Accepts `application/x-www-form-urlencoded` and nothing else (415). */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers()
  await app.register(formbody, { bodyLimit: formBytes, parser: parseForm })
  // for a button without fields browsers send an empty form, other clients no body
  app.addHook('preValidation', async request => {
    if (request.method === 'POST' && request.body === undefined) request.body = Object.create(null)
  })
}

/** A form's fields; a repeated one becomes a list. */
export function parseForm(text: string): Fields {
  if (text.includes('\u{FFFD}')) throw unreadable('text that is not valid UTF-8')
  return parsePairs(text)
}

const broken = Symbol('broken query')

/** The same for a query string. The router cannot take an error from here: `refuseBrokenQuery` throws it later. */
export function parseQuery(text: string): Fields & { [broken]?: unknown } {
  try {
    return parsePairs(text)
  } catch (error) {
    return { [broken]: error }
  }
}

/** @throws Refusal 400 for a query that `parseQuery` could not read. */
export function refuseBrokenQuery(query: unknown): void {
  if (typeof query === 'object' && query !== null && broken in query) throw query[broken]
}

/** @throws Refusal 400 for too many fields, bad UTF-8, bad escapes or NUL. */
export function parsePairs(text: string): Fields {
  const fields: Fields = Object.create(null)
  for (const pair of pairsOf(text)) {
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    addValue(fields, name, decode(at < 0 ? '' : pair.slice(at + 1)))
  }
  return fields
}

function pairsOf(text: string): string[] {
  const pairs = text.split('&', maxFields + 1)
  if (pairs.length > maxFields)
    throw new Refusal(400, `This request has more than ${maxFields} fields. Nothing was changed.`)
  return pairs.filter(pair => pair !== '')
}

/** Copying the list for each further value would cost n²/2. */
function addValue(fields: Fields, name: string, value: string): void {
  const before = fields[name]
  if (before === undefined) fields[name] = value
  else if (Array.isArray(before)) before.push(value)
  else fields[name] = [before, value]
}

function decode(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw unreadable('text that is not valid UTF-8')
  }
  if (decoded.includes('\0')) throw unreadable('a NUL character')
  return decoded
}

const unreadable = (what: string) => new Refusal(400, `This request holds ${what}. Nothing was changed.`)

export function form<T extends TProperties>(fields: T) {
  return Type.Object(fields, { additionalProperties: false })
}

/** A page's filters: each at most once; unknown ones are ignored, so that links with tracking parameters open. */
export function filters<T extends TProperties>(fields: T) {
  return Type.Object(fields)
}

/** One field, blank when it is not sent; a handler reports what is wrong with it (422). */
export const field = () => Type.String({ default: '' })
export const optionalField = () => Type.Optional(Type.String())
export const repeated = () => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())]))
export const valuesOf = (value: string | string[] | undefined) =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

export const idParams = Type.Object({ id: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) })
export type IdParams = Static<typeof idParams>

export type FieldErrors = Record<string, string>

/** Forms: read strictly, described by schemas that refuse what the form does not have. */
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { type TProperties, Type } from 'typebox'
import { Refusal } from './errors.ts'

/** The most that one form may weigh; files go another way. */
const formBytes = 64 * 1024

/** The most fields of one form or query. Rollcall's largest form is a page of a group with everyone selected: 608. */
export const maxFields = 800

/** Takes `application/x-www-form-urlencoded` and nothing else (415). */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers()
  await app.register(formbody, { bodyLimit: formBytes, parser: parseForm })
  // a button without a form's fields: browsers send an empty form, other clients nothing at all
  app.addHook('preValidation', async request => {
    if (request.method === 'POST' && request.body === undefined) request.body = Object.create(null)
  })
}

/**
 * The fields of a form; a repeated one becomes a list. Bytes that are not UTF-8 arrive here as U+FFFD, which a form can
 * only mean when it is percent-encoded (WHATWG URL, 5.2).
 *
 * @throws Refusal 400 for more than `maxFields`, bytes that are not UTF-8, a broken escape, or NUL.
 */
export function parseForm(text: string): Record<string, string | string[]> {
  if (text.includes('\u{FFFD}')) throw unreadable('text that is not valid UTF-8')
  return parsePairs(text)
}

const broken = Symbol('broken query')

/** The same for a query string. The router cannot take an error from here: `refuseBrokenQuery` throws it later. */
export function parseQuery(text: string): Record<string | symbol, unknown> {
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

function parsePairs(text: string) {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const pair of pairsOf(text)) {
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    addValue(fields, name, decode(at < 0 ? '' : pair.slice(at + 1)))
  }
  return fields
}

/** Counted before any of them is looked at: what a visitor can make Rollcall do must not grow with what they send. */
function pairsOf(text: string): string[] {
  const pairs = text.split('&', maxFields + 1)
  if (pairs.length > maxFields)
    throw new Refusal(400, `This request has more than ${maxFields} fields. Nothing was changed.`)
  return pairs.filter(pair => pair !== '')
}

/** Copying the list for each further value would cost n²/2. */
function addValue(fields: Record<string, string | string[]>, name: string, value: string): void {
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

/** A form: these fields, each once, and no other. */
export function form<T extends TProperties>(fields: T) {
  return Type.Object(fields, { additionalProperties: false })
}

/** The filters of a page: each at most once; others are ignored, so that a link with additions of others still opens. */
export function filters<T extends TProperties>(fields: T) {
  return Type.Object(fields)
}

/** One field, blank when it is not sent; a handler says what is wrong with it (422). */
export const field = () => Type.String({ default: '' })
export const optionalField = () => Type.Optional(Type.String())
/** A field that may be repeated. */
export const repeated = () => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())]))
/** The values of a field that may be repeated. */
export const valuesOf = (value: string | string[] | undefined) =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

/** A row's id in a path: anything else is an address where there is nothing (404). */
export const idParams = Type.Object({ id: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) })

/** What was wrong with a form: shown at the top and beside each field. */
export type FieldErrors = Record<string, string>

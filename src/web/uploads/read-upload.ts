/** Multipart forms with one file, read as they arrive: the file is never whole in memory or on disk. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { Refusal } from '../errors.ts'
import { type Patience, watchRate } from './rate.ts'

/** The form did not arrive to its end: the connection was lost, or it was too slow. */
export class UploadCut extends Refusal {}

export interface UploadedFile {
  /** As the browser names it, without folders; blank when no file was chosen. */
  name: string
  /**
   * Ends once the whole form is there and right.
   *
   * @throws Refusal 400 when the form is wrong, 413 when something is too large; UploadCut.
   */
  bytes: AsyncIterable<Buffer>
}

export interface UploadForm {
  /** The field that holds the file. */
  file: string
  /** The other fields, each at most once. */
  fields: readonly string[]
  /** Those that may come several times. */
  repeatable?: readonly string[]
  /** The most that the file may weigh, in bytes. */
  fileBytes: number
  patience?: Patience
}

export interface Upload<T> {
  fields: Record<string, string[]>
  /** What `take` made of the file; undefined when the form held none. */
  taken: T | undefined
}

const fieldBytes = 1024
const mostFields = 100

/**
 * Reads a form of `multipart/form-data`. `take` gets the file while it arrives. What is not wanted any more is read on
 * and dropped: a browser shows no answer before it has sent everything.
 *
 * @throws Refusal 400, 413 or 415; UploadCut; whatever `take` throws.
 */
export async function readUpload<T>(
  raw: IncomingMessage,
  form: UploadForm,
  take: (file: UploadedFile) => Promise<T>
): Promise<Upload<T>> {
  const fields: Record<string, string[]> = Object.create(null)
  let current: Readable | undefined
  let taking: Promise<T> | undefined
  const parser = parserFor(raw, form)
  const arrived = Promise.withResolvers<void>()

  function fail(error: Error) {
    raw.unpipe(parser)
    raw.resume()
    current?.destroy(error)
    arrived.reject(error)
  }

  function keep(name: string, value: string, isCut: boolean) {
    const problem = isCut ? tooLarge() : fieldProblem(form, name, value)
    if (problem) return fail(problem)
    if (fields[name] && !form.repeatable?.includes(name)) return fail(unexpected())
    const text = Buffer.from(value, 'latin1').toString('utf8')
    if (fields[name]) fields[name].push(text)
    else fields[name] = [text]
  }

  function receive(name: string, stream: Readable, fileName: string | undefined) {
    stream.on('error', () => {})
    if (name !== form.file || taking) return fail(unexpected())
    current = stream
    stream.on('limit', () => fail(tooLarge()))
    taking = take({ name: plainName(fileName), bytes: bytesOf(stream) })
    const readOn = () => void stream.resume()
    taking.then(readOn, readOn)
  }

  /** Whoever leaves off early leaves the stream whole: a destroyed one would hold the parser for ever. */
  async function* bytesOf(stream: Readable): AsyncGenerator<Buffer> {
    yield* stream.iterator({ destroyOnReturn: false })
    await arrived.promise
  }

  parser.on('field', (name, value, _, isCut) => keep(name, value, isCut))
  parser.on('file', receive)
  parser.on('finish', arrived.resolve)
  parser.on('error', () => fail(broken()))
  for (const limit of ['fieldsLimit', 'filesLimit', 'partsLimit'] as const) parser.on(limit, () => fail(unexpected()))
  raw.on('close', () => {
    if (!raw.readableEnded) fail(cut())
  })
  watchRate(raw, form.fileBytes * 2, () => fail(new UploadCut(408, slow)), form.patience)
  if (raw.destroyed) fail(cut())
  else if (Number(raw.headers['content-length']) > form.fileBytes + 2 ** 20) fail(tooLarge())
  else raw.pipe(parser)

  try {
    await arrived.promise
  } catch (error) {
    await taking?.catch(() => {})
    throw error
  }
  return { fields, taken: await taking }
}

function parserFor({ headers }: IncomingMessage, { fileBytes }: UploadForm) {
  if (!headers['content-type']) throw new Refusal(415, 'Send the form from its page. Nothing was changed.')
  const limits = { fields: mostFields, fieldSize: fieldBytes, files: 2, parts: mostFields + 2, headerPairs: 20 }
  try {
    return new Busboy({
      headers: headers as { 'content-type': string },
      // a field's bytes stay bytes, so that broken UTF-8 can be told from text
      defCharset: 'latin1',
      limits: { ...limits, fileSize: fileBytes, headerSize: 8192 }
    })
  } catch {
    throw broken()
  }
}

function fieldProblem({ fields, repeatable = [] }: UploadForm, name: string, value: string): Refusal | undefined {
  if (!fields.includes(name) && !repeatable.includes(name)) return unexpected()
  if (value.includes('\0')) return new Refusal(400, 'This request holds a NUL character. Nothing was changed.')
  return isUtf8(Buffer.from(value, 'latin1')) ? undefined : broken()
}

/** Without control characters, and of a long one the end, where the ending stands. */
const plainName = (name = '') => [...name.replace(/[\p{Cc}\p{Cf}]/gu, '')].slice(-200).join('')

const cut = () => new UploadCut(400, 'The upload was cut. Nothing was sent.')
const tooLarge = () => new Refusal(413, 'This is larger than Rollcall takes. Nothing was changed.')
const unexpected = () =>
  new Refusal(400, 'This request holds something that the form does not have. Nothing was changed.')
const slow = 'The file arrived too slowly and the upload was ended. Nothing was sent. Please try again.'
const broken = () => new Refusal(400, 'This form could not be read: it is damaged or incomplete. Nothing was changed.')

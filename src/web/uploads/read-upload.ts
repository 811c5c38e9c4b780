/** Multipart forms with one file, read as they arrive: the file is never whole in memory or on disk. */
import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import type { MultipartValue } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.ts'
import { type MinimumRate, watchRate } from './rate.ts'

export class UploadCut extends Refusal {}

export interface UploadedFile {
  /** As the browser names it, without folders; blank when no file was chosen. */
  name: string
  /** Ends once the whole form is valid. @throws Refusal 400 for a bad form, 413 for too much; UploadCut. */
  bytes: AsyncIterable<Buffer>
}

export interface UploadForm {
  file: string
  fields: readonly string[]
  repeatable?: readonly string[]
  fileBytes: number
  minimumRate?: MinimumRate
}

export interface Upload<T> {
  fields: Record<string, string[]>
  taken: T | undefined
}

const fieldBytes = 1024
const maxFields = 100

/** Reads a multipart form to its end, since browsers show no reply before. @throws Refusal, UploadCut. */
export async function readUpload<T>(
  request: FastifyRequest,
  form: UploadForm,
  take: (file: UploadedFile) => Promise<T>
): Promise<Upload<T>> {
  return new Reader(request, form, take).read()
}

class Reader<T> {
  readonly #request: FastifyRequest
  readonly #form: UploadForm
  readonly #take: (file: UploadedFile) => Promise<T>
  readonly #fields: Record<string, string[]> = Object.create(null)
  readonly #arrived = Promise.withResolvers<void>()
  #current: Readable | undefined
  #taking: Promise<T> | undefined

  constructor(request: FastifyRequest, form: UploadForm, take: (file: UploadedFile) => Promise<T>) {
    this.#request = request
    this.#form = form
    this.#take = take
  }

  async read(): Promise<Upload<T>> {
    const { raw } = this.#request
    const { fileBytes, minimumRate } = this.#form
    watchRate(raw, fileBytes * 2, () => this.#fail(new UploadCut(408, slow)), minimumRate)
    this.#readParts().then(this.#arrived.resolve, error => this.#fail(refusalFor(error, raw)))
    try {
      await this.#arrived.promise
    } catch (error) {
      await this.#taking?.catch(() => {})
      throw error
    }
    return { fields: this.#fields, taken: await this.#taking }
  }

  #fail(error: Error) {
    const { raw } = this.#request
    this.#current?.destroy(error)
    raw.unpipe()
    raw.resume()
    this.#arrived.reject(error)
  }

  async #readParts() {
    const { raw } = this.#request
    if (raw.destroyed) throw cut()
    if (Number(raw.headers['content-length']) > this.#form.fileBytes + 2 ** 20) throw tooLarge()
    let isEmpty = true
    raw.once('data', () => {
      isEmpty = false
    })
    for await (const part of this.#request.parts(optionsFor(this.#form))) {
      if (part.type === 'field') keepField(this.#form, this.#fields, part)
      else if (part.fieldname === this.#form.file && !this.#taking) this.#receive(part.file, part.filename)
      else throw unexpected()
    }
    // the parser takes no bytes at all for an empty form
    if (isEmpty) throw broken()
  }

  #receive(stream: Readable, fileName: string) {
    this.#current = stream
    stream.on('limit', () => this.#fail(tooLarge()))
    this.#taking = this.#take({ name: plainName(fileName), bytes: bytesOf(stream, this.#arrived.promise) })
    const readOn = () => void stream.resume()
    this.#taking.then(readOn, readOn)
  }
}

/** A reader that stops early leaves the stream intact: a destroyed one would block the parser forever. */
async function* bytesOf(stream: Readable, arrived: Promise<void>): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false })
  } catch (error) {
    await arrived
    throw error
  }
  await arrived
}

/** Keeps a field's bytes (as latin1), so that broken UTF-8 can be distinguished from text. */
function optionsFor({ fileBytes }: UploadForm) {
  const limits = { fields: maxFields, fieldSize: fieldBytes, files: 2, parts: maxFields + 2, headerPairs: 20 }
  const options = { defCharset: 'latin1', limits: { ...limits, fileSize: fileBytes, headerSize: 8192 } }
  return options as Parameters<FastifyRequest['parts']>[0]
}

function keepField(form: UploadForm, fields: Record<string, string[]>, part: MultipartValue) {
  const { fieldname: name, value } = part
  if (part.valueTruncated) throw tooLarge()
  if (part.fieldnameTruncated || typeof value !== 'string') throw unexpected()
  const problem = fieldProblem(form, name, value)
  if (problem) throw problem
  if (fields[name] && !form.repeatable?.includes(name)) throw unexpected()
  const text = Buffer.from(value, 'latin1').toString('utf8')
  if (fields[name]) fields[name].push(text)
  else fields[name] = [text]
}

function refusalFor(error: Error & { code?: string }, raw: FastifyRequest['raw']): Error {
  if (error instanceof Refusal) return error
  if (raw.destroyed && !raw.complete) return cut()
  if (error.code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge()
  if (error.code === 'FST_INVALID_MULTIPART_CONTENT_TYPE')
    return new Refusal(415, 'Send the form from its page. Nothing was changed.')
  return error.code?.startsWith('FST_') ? unexpected() : broken()
}

function fieldProblem({ fields, repeatable = [] }: UploadForm, name: string, value: string): Refusal | undefined {
  if (!fields.includes(name) && !repeatable.includes(name)) return unexpected()
  if (value.includes('\0')) return new Refusal(400, 'This request holds a NUL character. Nothing was changed.')
  return isUtf8(Buffer.from(value, 'latin1')) ? undefined : broken()
}

/** No control characters; a long name keeps its end, with the extension. */
const plainName = (name = '') => [...name.replace(/[\p{Cc}\p{Cf}]/gu, '')].slice(-200).join('')

const cut = () => new UploadCut(400, 'The upload was cut. Nothing was sent.')
const tooLarge = () => new Refusal(413, 'This is larger than Rollcall takes. Nothing was changed.')
const unexpected = () =>
  new Refusal(400, 'This request holds something that the form does not have. Nothing was changed.')
const slow = 'The file arrived too slowly and the upload was ended. Nothing was sent. Please try again.'
const broken = () => new Refusal(400, 'This form could not be read: it is damaged or incomplete. Nothing was changed.')

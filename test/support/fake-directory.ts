/**
 * A directory that misbehaves on request: it answers searches over entries in memory (filters, pages, value ranges), and a
 * script may answer instead, cut, stall or lie. All requests are recorded.
 */
import net, { type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import { BerReader } from 'ldapts'
import type { Certificate } from './certificates.ts'

export interface FakeEntry {
  dn: string
  attributes: Record<string, (string | Buffer)[]>
}

export interface FakeRequest {
  id: number
  kind: 'bind' | 'unbind' | 'search' | 'extended' | 'other'
  /** Search: base, scope (0 base, 1 one, 2 sub), attributes, and the filter in BER. */
  base: string
  scope: number
  sizeLimit: number
  timeLimit: number
  filter: Buffer
  attributes: string[]
  page: { size: number; cookie: string } | undefined
  /** Bind: DN and password. Extended: OID. */
  dn: string
  password: string
  oid: string
  /** How many requests of this kind came before, over all connections. */
  nth: number
  socket: Socket
}

/** Every answer is `true`, so that a script can end with it. */
export interface Reply {
  entry(entry: FakeEntry): true
  /** Ends a search; a cookie, even an empty one, adds the paged-results control. */
  done(code?: number, text?: string, cookie?: string): true
  raw(bytes: Buffer): true
  /** The matching entries, as in a usual answer. */
  matches(): FakeEntry[]
}

/** True: answered (or deliberately not). */
export type Script = (request: FakeRequest, reply: Reply) => boolean

export interface FakeDirectory {
  url: string
  port: number
  requests: FakeRequest[]
  /** Bytes that clients sent, as they came over the wire. */
  received: Buffer[]
  entries: FakeEntry[]
  script: Script
  /** How many values of an attribute are shown at once, as in Active Directory. */
  valuesAtOnce: number
  who: string
  sockets: Set<Socket>
  stop(): Promise<void>
}

export interface FakeOptions {
  entries?: FakeEntry[]
  script?: Script
  valuesAtOnce?: number
  rootDse?: Record<string, string[]>
  /** The certificate for StartTLS and ldaps. */
  certificate?: Certificate
  isLdaps?: boolean
}

export async function startFake(options: FakeOptions = {}): Promise<FakeDirectory> {
  const accept = (socket: Socket) => {
    fake.sockets.add(
      socket
        .setNoDelay(true)
        .on('close', () => fake.sockets.delete(socket))
        .on('error', () => {})
    )
    serve(socket, fake, options)
  }
  const { certificate } = options
  const server =
    options.isLdaps && certificate
      ? tls.createServer({ cert: certificate.certificate, key: certificate.key }, accept)
      : net.createServer(accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeDirectory = {
    url: `${options.isLdaps ? 'ldaps' : 'ldap'}://127.0.0.1:${port}`,
    port,
    requests: [],
    received: [],
    entries: options.entries ?? [],
    script: options.script ?? (() => false),
    valuesAtOnce: options.valuesAtOnce ?? Number.POSITIVE_INFINITY,
    who: 'dn:cn=rollcall,dc=larkfield,dc=example',
    sockets: new Set(),
    async stop() {
      for (const socket of fake.sockets) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    }
  }
  return fake
}

function serve(socket: Socket, fake: FakeDirectory, options: FakeOptions) {
  let unread = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    fake.received.push(chunk)
    unread = Buffer.concat([unread, chunk])
    if (unread.length > 0 && unread[0] !== 0x30) return void hearNoise(socket, fake)
    for (let size = sizeOf(unread); size > 0 && unread.length >= size; size = sizeOf(unread)) {
      const message = unread.subarray(0, size)
      unread = unread.subarray(size)
      const request = parse(message, socket)
      request.nth = fake.requests.filter(each => each.kind === request.kind).length
      fake.requests.push(request)
      const reply = replyTo(request, fake)
      if (!fake.script(request, reply)) answer(request, reply, fake, options, onData)
    }
  }
  socket.on('data', onData)
}

/** Data that is not LDAP, such as a TLS greeting to a server without TLS. */
function hearNoise(socket: Socket, fake: FakeDirectory) {
  const noise = { ...nothing, id: 0, kind: 'other', nth: 0, socket } as const
  if (!fake.script({ ...noise, attributes: [] }, replyTo({ ...noise, attributes: [] }, fake))) socket.destroy()
}

function answer(
  request: FakeRequest,
  reply: Reply,
  fake: FakeDirectory,
  options: FakeOptions,
  onData: (chunk: Buffer) => void
) {
  if (request.kind === 'bind') reply.raw(message(request.id, result(0x61, 0)))
  else if (request.kind === 'unbind') request.socket.end()
  else if (request.oid === '1.3.6.1.4.1.4203.1.11.3')
    reply.raw(message(request.id, result(0x78, 0, '', [tlv(0x8b, fake.who)])))
  else if (request.oid === '1.3.6.1.4.1.1466.20037' && options.certificate) {
    reply.raw(message(request.id, result(0x78, 0)))
    const { certificate, key } = options.certificate
    request.socket.off('data', onData)
    const secured = new tls.TLSSocket(request.socket, { isServer: true, cert: certificate, key })
    fake.sockets.add(secured.on('error', () => {}))
    serve(secured, fake, options)
  } else if (request.kind === 'extended') reply.raw(message(request.id, result(0x78, 2, 'unknown operation')))
  else search(request, reply, fake, options)
}

function search(request: FakeRequest, reply: Reply, fake: FakeDirectory, options: FakeOptions) {
  if (request.base === '' && request.scope === 0) {
    reply.entry({ dn: '', attributes: options.rootDse ?? { objectClass: ['top', 'OpenLDAProotDSE'] } })
    return reply.done()
  }
  const found = reply.matches()
  if (request.scope === 0 && found.length === 0) {
    const exists = fake.entries.some(({ dn }) => same(dn, request.base))
    return reply.done(exists ? 0 : 32)
  }
  if (!request.page) {
    for (const entry of found) reply.entry(entry)
    return reply.done()
  }
  const from = Number(request.page.cookie || 0)
  const until = from + request.page.size
  for (const entry of found.slice(from, until)) reply.entry(entry)
  reply.done(0, '', until < found.length ? String(until) : '')
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

function replyTo(request: FakeRequest, fake: FakeDirectory): Reply {
  const write = (bytes: Buffer): true => {
    if (request.socket.writable) request.socket.write(bytes)
    return true
  }
  return {
    raw: write,
    entry: entry => write(message(request.id, encodeEntry(shown(entry, request, fake.valuesAtOnce)))),
    done(code = 0, text = '', cookie) {
      const control = cookie === undefined ? [] : [pagedResults(cookie)]
      return write(message(request.id, result(0x65, code, text), control))
    },
    matches() {
      const base = lower(request.base)
      const below = base && `,${base}`
      const inScope = fake.entries.filter(({ dn }) => {
        const own = lower(dn)
        return own === base || (request.scope === 2 && own.endsWith(below))
      })
      return inScope.filter(compile(new BerReader(request.filter)))
    }
  }
}

/** Only the requested attributes, long ones in parts. */
function shown(entry: FakeEntry, { attributes }: FakeRequest, atOnce: number): FakeEntry {
  if (attributes.length === 0) return entry
  const found: FakeEntry['attributes'] = {}
  for (const [name, values] of Object.entries(entry.attributes)) {
    const asked = attributes.find(each => each.split(';')[0] === name.toLowerCase())
    if (!asked) continue
    const from = Number(/;range=(\d+)-/.exec(asked)?.[1] ?? 0)
    const part = values.slice(from, from + atOnce)
    if (from === 0 && values.length <= atOnce) found[name] = values
    else found[`${name};range=${from}-${from + atOnce >= values.length ? '*' : from + part.length - 1}`] = part
    // Active Directory also shows the whole attribute, without values
    if (from === 0 && values.length > atOnce) found[name] = []
  }
  return { dn: entry.dn, attributes: found }
}

type Test = (entry: FakeEntry) => boolean

/** RFC 4511 §4.5.1.7 on entries in memory: and, or, not, equality, substrings, present. */
function compile(reader: BerReader): Test {
  const tag = reader.readSequence()!
  const end = reader.offset + reader.length
  const inside = () => {
    const tests: Test[] = []
    while (reader.offset < end) tests.push(compile(reader))
    return tests
  }
  if (tag === 0xa0)
    return (
      (tests: Test[]) => (entry: FakeEntry) =>
        tests.every(fits => fits(entry))
    )(inside())
  if (tag === 0xa1)
    return (
      (tests: Test[]) => (entry: FakeEntry) =>
        tests.some(fits => fits(entry))
    )(inside())
  if (tag === 0xa2)
    return (
      (fits: Test) => (entry: FakeEntry) =>
        !fits(entry)
    )(compile(reader))
  if (tag === 0x87) {
    const name = reader.buffer.toString('utf8', reader.offset, end)
    reader.offset = end
    const values = readerOf(name)
    return entry => values(entry).length > 0
  }
  const fits = compileAssertion(tag, reader, end)
  reader.offset = end
  return fits
}

function compileAssertion(tag: number, reader: BerReader, end: number): Test {
  const name = reader.readString()!
  const values = readerOf(name)
  if (tag === 0xa3) {
    const wanted = lower(reader.readString(4, true)!)
    return entry => values(entry).some(value => lower(value) === wanted)
  }
  if (tag !== 0xa4) return () => false
  reader.readSequence()
  const middle: string[] = []
  while (reader.offset < end) middle.push(lower(reader.readString(reader.peek()!, true)!))
  return entry => values(entry).some(value => middle.every(part => lower(value).includes(part)))
}

/** A search compares each value with hundreds of others. */
const lowered = new Map<string, string>()

function lower(value: string | Buffer): string {
  if (typeof value !== 'string') return value.toString('latin1').toLowerCase()
  const known = lowered.get(value)
  if (known !== undefined) return known
  const text = Buffer.from(value).toString('latin1').toLowerCase()
  lowered.set(value, text)
  return text
}

function readerOf(name: string): (entry: FakeEntry) => (string | Buffer)[] {
  if (/^(entryDN|distinguishedName)$/i.test(name)) return ({ dn }) => [dn]
  return ({ attributes }) => {
    if (attributes[name]) return attributes[name]
    const key = Object.keys(attributes).find(each => same(each, name))
    return key === undefined ? [] : attributes[key]!
  }
}

const nothing = {
  base: '',
  scope: 0,
  sizeLimit: 0,
  timeLimit: 0,
  filter: Buffer.alloc(0),
  page: undefined,
  dn: '',
  password: '',
  oid: ''
}

function parse(message: Buffer, socket: Socket): FakeRequest {
  const reader = new BerReader(message)
  reader.readSequence()
  const id = reader.readInt()!
  const tag = reader.readSequence()!
  const kinds = { 96: 'bind', 66: 'unbind', 99: 'search', 119: 'extended' } as const
  const kind = kinds[tag as keyof typeof kinds] ?? 'other'
  const request: FakeRequest = { ...nothing, attributes: [], id, kind, nth: 0, socket }
  if (kind === 'bind') {
    reader.readInt()
    request.dn = reader.readString()!
    request.password = reader.readString(0x80)!
  } else if (kind === 'extended') request.oid = reader.readString(0x80)!
  else if (kind === 'search') parseSearch(reader, request)
  return request
}

function parseSearch(reader: BerReader, request: FakeRequest) {
  request.base = reader.readString()!
  request.scope = reader.readEnumeration()!
  reader.readEnumeration()
  request.sizeLimit = reader.readInt()!
  request.timeLimit = reader.readInt()!
  reader.readBoolean()
  const start = reader.offset
  reader.readSequence()
  reader.offset += reader.length
  request.filter = Buffer.from(reader.buffer.subarray(start, reader.offset))
  reader.readSequence()
  const end = reader.offset + reader.length
  while (reader.offset < end) request.attributes.push(reader.readString()!.toLowerCase())
  if (reader.peek() !== 0xa0) return
  reader.readSequence()
  reader.readSequence()
  if (reader.readString() !== '1.2.840.113556.1.4.319') return
  reader.readBoolean()
  const value = new BerReader(reader.readString(4, true)!)
  value.readSequence()
  request.page = { size: value.readInt()!, cookie: value.readString()! }
}

function sizeOf(bytes: Buffer): number {
  if (bytes.length < 2) return 0
  const first = bytes[1]!
  if (first < 0x80) return 2 + first
  const digits = first & 0x7f
  return bytes.length < 2 + digits ? 0 : 2 + digits + bytes.readUIntBE(2, digits)
}

export function tlv(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map(part => Buffer.from(part as string)))
  const size = body.length
  if (size < 0x80) return Buffer.concat([Buffer.from([tag, size]), body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(size)
  return Buffer.concat([Buffer.from([tag, 0x84]), length, body])
}

export const message = (id: number, operation: Buffer, controls: Buffer[] = []) =>
  tlv(0x30, integer(id), operation, ...(controls.length > 0 ? [tlv(0xa0, ...controls)] : []))

export const result = (tag: number, code: number, text = '', more: Buffer[] = []) =>
  tlv(tag, tlv(0x0a, Buffer.from([code])), tlv(4, ''), tlv(4, text), ...more)

export const encodeEntry = ({ dn, attributes }: FakeEntry) =>
  tlv(
    0x64,
    tlv(4, dn),
    tlv(
      0x30,
      ...Object.entries(attributes).map(([name, values]) =>
        tlv(0x30, tlv(4, name), tlv(0x31, ...values.map(value => tlv(4, value))))
      )
    )
  )

const pagedResults = (cookie: string) =>
  tlv(0x30, tlv(4, '1.2.840.113556.1.4.319'), tlv(4, tlv(0x30, integer(0), tlv(4, cookie))))

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return tlv(2, bytes)
}

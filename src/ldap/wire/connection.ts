/** One LDAP conversation, without ldapts' Client (docs/decisions/0006). One failure ends it; answers time out. */
import type { Socket } from 'node:net'
import { type Control, type Message, type MessageResponse, UnbindRequest } from 'ldapts'
import { messageOf } from '../../lib/errors.ts'
import { DirectoryProblem } from '../directory.ts'
import { decodeEntry, headOf, type RawEntry } from './ber.ts'
import { Framer } from './framer.ts'
import type { Limits } from './limits.ts'
import { decodeResponse } from './responses.ts'
import { networkProblem } from './words.ts'

export interface Connection {
  /** Rejects when the connection is lost, or the answer is more than was asked for. */
  send(message: Message, doing: string, expected?: Expected): Promise<MessageResponse>
  /** Hands over the bare socket to be wrapped (StartTLS). Refuses if the server has already sent more. */
  release(): Socket
  resume(socket: Socket): void
  destroy(reason: Error): void
  close(): void
}

export interface Expected {
  entry?(entry: RawEntry): void
  /** A reference to another server, which is not followed. */
  reference?(): void
  maxEntries?: number
  isLarge?: boolean
}

interface PendingRequest {
  doing: string
  expected: Expected
  controls: Control[]
  entries: number
  bytes: number
  since: number
  timer: NodeJS.Timeout
  resolve: (response: MessageResponse) => void
  reject: (error: Error) => void
}

export const converse = (socket: Socket, limits: Limits, signal?: AbortSignal): Connection =>
  new Conversation(socket, limits, signal)

class Conversation implements Connection {
  #socket: Socket
  #framer: Framer
  #lastId = 0
  #received = 0
  #end: Error | undefined
  readonly #pending = new Map<number, PendingRequest>()
  readonly #limits: Limits
  readonly #signal: AbortSignal | undefined

  constructor(socket: Socket, limits: Limits, signal: AbortSignal | undefined) {
    this.#socket = socket
    this.#limits = limits
    this.#signal = signal
    this.#framer = new Framer(this.#maxBytes, this.#receive)
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#listen()
  }

  send(message: Message, doing: string, expected: Expected = {}): Promise<MessageResponse> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end)
      if (this.#signal?.aborted) return reject(this.#signal.reason)
      this.#lastId += 1
      message.messageId = this.#lastId
      const timer = setTimeout(() => this.#timeOut(one), this.#limits.silence)
      const one: PendingRequest = {
        doing,
        expected,
        controls: message.controls ?? [],
        entries: 0,
        bytes: 0,
        since: performance.now(),
        timer,
        resolve,
        reject
      }
      this.#pending.set(this.#lastId, one)
      this.#socket.write(message.write())
    })
  }

  release(): Socket {
    if (this.#end) throw this.#end
    // bytes that came unencrypted would be believed as if they had come encrypted (CVE-2011-0411)
    if (this.#framer.waiting > 0 || this.#pending.size > 0)
      throw new DirectoryProblem(
        'The directory sent unencrypted data after agreeing to encrypt',
        'Check who answers there'
      )
    return this.#socket.off('data', this.#onData).off('error', this.#onError).off('close', this.#onClose)
  }

  resume(wrapped: Socket): void {
    this.#socket = wrapped
    this.#framer = new Framer(this.#maxBytes, this.#receive)
    this.#listen()
  }

  destroy(reason: Error): void {
    if (this.#end) return
    this.#end = reason
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#socket.destroy()
    for (const { timer, reject } of this.#pending.values()) {
      clearTimeout(timer)
      reject(reason)
    }
    this.#pending.clear()
  }

  close(): void {
    if (this.#end) return
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#end = new DirectoryProblem('This connection is closed')
    this.#socket.off('data', this.#onData).resume()
    this.#lastId += 1
    this.#socket.write(new UnbindRequest({ messageId: this.#lastId }).write())
    this.#socket.destroySoon()
  }

  #listen(): void {
    this.#socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose)
  }

  readonly #abort = () => this.destroy(this.#signal?.reason)
  readonly #onError = (error: Error) => this.destroy(networkProblem('The connection to the directory broke', error))
  readonly #onClose = () =>
    this.destroy(new DirectoryProblem('The directory closed the connection', 'Look into the server’s log'))

  readonly #onData = (chunk: Buffer) => {
    this.#received += chunk.length
    const { connectionBytes } = this.#limits
    try {
      if (this.#received > connectionBytes) throw new Error(`it sent more than ${connectionBytes} bytes`)
      this.#framer.push(chunk)
    } catch (error) {
      this.destroy(new DirectoryProblem(`The directory misbehaves: ${messageOf(error)}`, 'Check host and port'))
    }
  }

  readonly #receive = (message: Buffer) => {
    if (this.#end) return
    const { id, operation } = headOf(message)
    const one = this.#pending.get(id)
    if (id === 0) return this.destroy(new DirectoryProblem('The directory ended the connection', 'Look into its log'))
    if (!one) throw new Error('it sent an answer without a request')
    this.#keepWaiting(one, message.length)
    if (operation.tag === 0x64) return this.#takeEntry(one, message, operation)
    if (operation.tag === 0x73) return one.expected.reference?.()
    // intermediate responses answer nothing that we ask
    if (operation.tag === 0x79) return
    const response = decodeResponse(message, id, operation.tag, one.controls)
    this.#pending.delete(id)
    clearTimeout(one.timer)
    one.resolve(response)
  }

  #takeEntry(one: PendingRequest, message: Buffer, operation: ReturnType<typeof headOf>['operation']) {
    const { maxEntries = this.#limits.entries, entry } = one.expected
    if (++one.entries > maxEntries) throw new Error(`it sent more than the ${maxEntries} entries requested`)
    entry?.(decodeEntry(message, operation))
  }

  /** Only when a large answer is pending may a message be large. */
  readonly #maxBytes = () => {
    for (const { expected } of this.#pending.values()) if (expected.isLarge) return this.#limits.largeBytes
    return this.#limits.messageBytes
  }

  #keepWaiting(one: PendingRequest, bytes: number) {
    one.bytes += bytes
    const maxBytes = one.expected.isLarge ? this.#limits.largeBytes : this.#limits.answerBytes
    if (one.bytes > maxBytes) throw new Error(`one answer has more than ${maxBytes} bytes`)
    if (performance.now() - one.since > this.#limits.answer) return this.#timeOut(one)
    one.timer.refresh()
  }

  #timeOut({ doing }: PendingRequest) {
    const advice = 'Try again; if it keeps failing, ask the people who run the directory'
    this.destroy(new DirectoryProblem(`${doing}: no complete answer in time`, advice))
  }
}

/**
 * One LDAP conversation over one socket. ldapts encodes and decodes; its Client is not used, because it reconnects
 * without signing in, keeps bytes and states of a dead connection, hangs after StartTLS and gives no page without entries
 * (docs/decisions/0006). Here a connection that failed once is dead, and every answer has a deadline.
 */
import type { Socket } from 'node:net'
import { type Control, type Message, type MessageResponse, UnbindRequest } from 'ldapts'
import { DirectoryProblem } from '../directory.ts'
import { decodeEntry, headOf, type RawEntry } from './ber.ts'
import { type Framer, frame } from './framer.ts'
import type { Limits } from './limits.ts'
import { decodeResponse } from './responses.ts'
import { networkProblem } from './words.ts'

export interface Connection {
  /** Sends, and waits for the answer. Rejects when the connection is lost, or the answer is more than was asked for. */
  send(message: Message, doing: string, expected?: Expected): Promise<MessageResponse>
  /** Hands the bare socket over to be wrapped (StartTLS). Refuses if the server has already said more than it pending. */
  release(): Socket
  /** Goes on over the wrapped socket. */
  resume(socket: Socket): void
  /** Ends at once, with the reason for whoever waits. */
  destroy(reason: Error): void
  /** Says goodbye and ends. */
  close(): void
}

/** What may come before the end of an answer. */
export interface Expected {
  entry?(entry: RawEntry): void
  /** A reference to another server, which is not followed. */
  reference?(): void
  /** Entries at the most. */
  maxEntries?: number
  /** May have as many bytes as the largest group. */
  isLarge?: boolean
}

interface PendingRequest {
  doing: string
  expected: Expected
  /** What was sent with the question, and may be answered. */
  controls: Control[]
  entries: number
  bytes: number
  since: number
  timer: NodeJS.Timeout
  resolve: (response: MessageResponse) => void
  reject: (error: Error) => void
}

export function converse(first: Socket, limits: Limits, signal?: AbortSignal): Connection {
  const pending = new Map<number, PendingRequest>()
  let socket = first
  let framer: Framer = frame(maxBytes, receive)
  let lastId = 0
  let received = 0
  let end: Error | undefined

  const abort = () => destroy(signal!.reason)
  signal?.addEventListener('abort', abort, { once: true })

  function listen() {
    socket.on('data', onData).on('error', onError).on('close', onClose)
  }
  const onError = (error: Error) => destroy(networkProblem('The connection to the directory broke', error))
  const onClose = () =>
    destroy(new DirectoryProblem('The directory closed the connection', 'Look into the server’s log'))

  function onData(chunk: Buffer) {
    received += chunk.length
    try {
      if (received > limits.connectionBytes) throw new Error(`it sent more than ${limits.connectionBytes} bytes`)
      framer.push(chunk)
    } catch (error) {
      destroy(new DirectoryProblem(`The directory misbehaves: ${(error as Error).message}`, 'Check host and port'))
    }
  }

  function receive(message: Buffer) {
    if (end) return
    const { id, operation } = headOf(message)
    const one = pending.get(id)
    if (id === 0) return destroy(new DirectoryProblem('The directory ended the connection', 'Look into its log'))
    if (!one) throw new Error('it answered what nobody asked')
    keepWaiting(one, message.length)
    if (operation.tag === 0x64) return takeEntry(one, message, operation)
    if (operation.tag === 0x73) return one.expected.reference?.()
    // intermediate responses answer nothing that we ask
    if (operation.tag === 0x79) return
    const response = decodeResponse(message, id, operation.tag, one.controls)
    pending.delete(id)
    clearTimeout(one.timer)
    one.resolve(response)
  }

  function takeEntry(one: PendingRequest, message: Buffer, operation: ReturnType<typeof headOf>['operation']) {
    const { maxEntries = limits.entries, entry } = one.expected
    if (++one.entries > maxEntries) throw new Error(`it sent more than the ${maxEntries} entries that were asked for`)
    entry?.(decodeEntry(message, operation))
  }

  /** Only where a large answer is owed a message may be large. */
  function maxBytes(): number {
    for (const { expected } of pending.values()) if (expected.isLarge) return limits.largeBytes
    return limits.messageBytes
  }

  function keepWaiting(one: PendingRequest, bytes: number) {
    one.bytes += bytes
    const maxBytes = one.expected.isLarge ? limits.largeBytes : limits.answerBytes
    if (one.bytes > maxBytes) throw new Error(`one answer has more than ${maxBytes} bytes`)
    if (performance.now() - one.since > limits.answer) return timeOut(one)
    one.timer.refresh()
  }

  function timeOut({ doing }: PendingRequest) {
    destroy(
      new DirectoryProblem(`${doing}: no whole answer in time`, 'Try again; if it stays, ask who runs the directory')
    )
  }

  function destroy(reason: Error) {
    if (end) return
    end = reason
    signal?.removeEventListener('abort', abort)
    socket.destroy()
    for (const { timer, reject } of pending.values()) {
      clearTimeout(timer)
      reject(reason)
    }
    pending.clear()
  }

  listen()
  return {
    destroy,
    send(message, doing, expected = {}) {
      return new Promise((resolve, reject) => {
        if (end) return reject(end)
        if (signal?.aborted) return reject(signal.reason)
        message.messageId = ++lastId
        const timer = setTimeout(() => timeOut(one), limits.silence)
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
        pending.set(lastId, one)
        socket.write(message.write())
      })
    },
    release() {
      if (end) throw end
      // bytes that came in clear would be believed as if they had come encrypted (CVE-2011-0411)
      if (framer.waiting() > 0 || pending.size > 0)
        throw new DirectoryProblem('The directory sent clear text after agreeing to encrypt', 'Check who answers there')
      return socket.off('data', onData).off('error', onError).off('close', onClose)
    },
    resume(wrapped) {
      socket = wrapped
      framer = frame(maxBytes, receive)
      listen()
    },
    close() {
      if (end) return
      signal?.removeEventListener('abort', abort)
      end = new DirectoryProblem('This connection is closed')
      socket.off('data', onData).resume()
      socket.write(new UnbindRequest({ messageId: ++lastId }).write())
      socket.destroySoon()
    }
  }
}

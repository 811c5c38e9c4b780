/** Commands out, replies in, over one socket. It closes as soon as a reply cannot be matched to a command. */
import type { Socket } from 'node:net'
import type { Reply } from './reply.ts'
import { readReplies } from './reply-reader.ts'

const quitTimeoutMs = 1_000

export class Channel {
  isOpen = true
  closeReason = ''
  /** A reply did not fit its command, so no later one proves anything. */
  isConfused = false
  private openResponses = 0
  private readonly replies: Reply[] = []
  private resolveNext: ((reply: Reply | undefined) => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private readonly socket: Socket
  private readonly onClose: () => void

  constructor(socket: Socket, onClose: () => void) {
    this.socket = socket
    this.onClose = onClose
    const read = readReplies(
      reply => this.receive(reply),
      reason => this.close(reason)
    )
    socket.on('data', chunk => void (this.isOpen && read(chunk)))
    socket.on('error', error => this.close(error.message))
    socket.on('end', () => this.close('The mail server closed the connection'))
    socket.on('close', () => this.close('The connection was closed'))
  }

  write(text: string | Buffer, responses: number): void {
    this.openResponses += responses
    if (this.isOpen) this.socket.write(text)
  }

  /** The next reply; undefined when the connection is lost or the server takes too long. */
  next(timeoutMs: number): Promise<Reply | undefined> | Reply | undefined {
    if (this.replies.length > 0 || !this.isOpen) return this.replies.shift()
    return new Promise(resolve => {
      this.resolveNext = resolve
      const late = `The mail server did not answer for ${Math.round(timeoutMs / 1000)} s`
      this.timer = setTimeout(() => this.close(late), timeoutMs)
    })
  }

  close(reason: string): void {
    if (!this.isOpen) return
    this.end(reason)
    this.socket.destroy()
  }

  distrust(reason: string): void {
    this.isConfused = true
    this.close(reason)
  }

  /** Waits up to a second for the server to close, so that it no longer counts this connection when we come back. */
  async quit(): Promise<void> {
    if (!this.isOpen) return
    this.end('Closed')
    const closed = new Promise<void>(resolve => this.socket.once('close', () => resolve()))
    const timer = setTimeout(() => this.socket.destroy(), quitTimeoutMs)
    this.socket.unref().write('QUIT\r\n')
    await closed
    clearTimeout(timer)
  }

  private end(reason: string) {
    this.isOpen = false
    this.closeReason = reason
    this.answer(undefined)
    this.onClose()
  }

  /** False: read no more. A reply without a command is never kept, but 421 may come at any time (RFC 5321 §3.8). */
  private receive(reply: Reply): boolean {
    if (this.openResponses === 0) {
      if (reply.code === 421) this.close(reply.text)
      else this.distrust(unasked)
      return false
    }
    this.openResponses -= 1
    if (this.resolveNext) this.answer(reply)
    else this.replies.push(reply)
    return this.isOpen
  }

  private answer(reply: Reply | undefined) {
    const resolve = this.resolveNext
    this.resolveNext = undefined
    clearTimeout(this.timer)
    resolve?.(reply)
  }
}

const unasked = 'The mail server sent more replies than it was asked for, so its replies cannot be trusted'

/** Compiles a message once and only inserts what differs between soft line breaks: microseconds per message. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { Eta } from 'eta'
import { encodeInset, encodeQuotedPrintable } from '../lib/text/quoted-printable.ts'
import { encodeMailbox, encodeText, headerDate, type Mailbox, oneLine } from './headers.ts'

export interface Frame {
  kind: string
  language: string
  direction: 'ltr' | 'rtl'
  from: Mailbox
  replyTo?: Mailbox | undefined
  fixed: Record<string, string>
  /** The names of what differs in each message; allowed in text and html, not in the subject. */
  varying: readonly string[]
}

export interface Filling {
  to: Mailbox
  messageId: string
  date: Date
  /** One-click opt-out (RFC 8058), for email that people may refuse. */
  optOut?: string
  feedbackId: string
  values: Record<string, string>
}

const views = path.join(import.meta.dirname, '../../views/mail')
const htmlEta = new Eta({ views, autoEscape: true, cache: true })
const textEta = new Eta({ views, autoEscape: false, autoTrim: false, cache: true })

/** @throws when a template names a value that is neither fixed nor varying. */
export function compileMail(frame: Frame): (filling: Filling) => Buffer {
  const { subject, text, html } = renderMail(frame, Object.fromEntries(frame.varying.map(name => [name, mark(name)])))
  const boundary = `=_${randomBytes(12).toString('hex')}`
  const parts = [
    `\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n`,
    partHead(boundary, 'text/plain'),
    ...segmentsOf(text, value => value),
    partHead(boundary, 'text/html'),
    ...segmentsOf(html, escapeHtml),
    `\r\n--${boundary}--\r\n`
  ]
  const head = fixedHeaders(frame, subject)
  return filling => {
    let message = head + ownHeaders(filling)
    for (const part of parts) message += typeof part === 'string' ? part : part(filling.values)
    return Buffer.from(message, 'utf8')
  }
}

export function renderMail(
  frame: Frame,
  varying: Record<string, string>
): { subject: string; text: string; html: string } {
  const { kind, language, direction, fixed } = frame
  const base = strict({ ...fixed, language, direction })
  const subject = oneLine(textEta.render(`${kind}/subject`, base))
  const data = strict({ ...fixed, language, direction, subject, ...varying })
  return { subject, text: textEta.render(`${kind}/text`, data), html: htmlEta.render(`${kind}/html`, data) }
}

/** A missing value throws when compiling, so that no email ever says "undefined". */
function strict(values: Record<string, string>): Record<string, string> {
  const clean = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, isMark(value) ? value : oneLine(value)])
  )
  return new Proxy(clean, {
    get: (all, name) => {
      if (typeof name === 'string' && !(name in all)) throw new Error(`The email template needs "${name}"`)
      return Reflect.get(all, name)
    }
  })
}

const mark = (name: string) => `\u0001${name}\u0002`
const isMark = (value: string) => value.startsWith('\u0001')

type Segment = string | ((values: Record<string, string>) => string)

function segmentsOf(rendered: string, encode: (value: string) => string): Segment[] {
  return rendered.split(/\u0001(\w+)\u0002/).map((piece, i): Segment => {
    if (i % 2 === 0) return encodeQuotedPrintable(piece)
    return values => encodeInset(encode(oneLine(values[piece] ?? missing(piece))))
  })
}

function missing(name: string): never {
  throw new Error(`The email needs a value for "${name}"`)
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (value: string) => value.replace(/[&<>"']/g, character => entities[character] ?? character)

const partHead = (boundary: string, type: string) =>
  `\r\n--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`

function fixedHeaders({ from, replyTo, varying }: Frame, subject: string): string {
  const lines = [
    `From: ${encodeMailbox(from)}`,
    ...(replyTo ? [`Reply-To: ${encodeMailbox(replyTo)}`] : []),
    `Subject: ${encodeText(subject)}`,
    'Auto-Submitted: auto-generated',
    'X-Auto-Response-Suppress: All',
    ...(varying.includes('optOut') ? ['List-Unsubscribe-Post: List-Unsubscribe=One-Click'] : [])
  ]
  return lines.join('\r\n')
}

function ownHeaders({ to, messageId, date, optOut, feedbackId }: Filling): string {
  const own = `\r\nTo: ${encodeMailbox(to)}\r\nDate: ${headerDate(date)}\r\nMessage-ID: <${bare(messageId)}>`
  const optOutLine = optOut === undefined ? '' : `\r\nList-Unsubscribe: <${bare(optOut)}>`
  return `${own}${optOutLine}\r\nFeedback-ID: ${oneLine(feedbackId)}`
}

/** Our own ids and links contain none of these. If one ever does, it must not break out of its header. */
const bare = (value: string) => value.replace(/[\s<>\p{Cc}]/gu, '')

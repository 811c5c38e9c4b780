/** Without a mail server, emails are kept as files that the console shows. */
import { chmodSync, statSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { codeOf } from '../lib/errors.ts'
import { hashToken } from '../lib/secrets/token.ts'
import { decodeQuotedPrintable } from '../lib/text/quoted-printable.ts'
import type { MailTransport } from './delivery.ts'
import { decodeText } from './headers.ts'

/** Keeps every email as `<folder>/<delivery id>.eml`; no reader sees a half-written file. */
export function outboxTransport(folder: string): MailTransport {
  return {
    concurrency: 4,
    async send({ deliveryId, bytes }) {
      try {
        await keepEmail(folder, String(deliveryId), bytes())
        return { is: 'kept', reply: 'Kept in the outbox' }
      } catch (error) {
        return {
          is: 'transport-fault',
          reply: `Could not write to the outbox (${codeOf(error)})`
        }
      }
    },
    verify: async () => undefined,
    close: async () => {}
  }
}

/** Writes `<folder>/<name>.eml` whole or not at all. */
export async function keepEmail(folder: string, name: string, bytes: Buffer): Promise<void> {
  const file = path.join(folder, `${name}.eml`)
  await fs.mkdir(folder, { recursive: true, mode: 0o700 })
  closeToOthers(folder)
  const part = `${file}.part`
  await fs.writeFile(part, bytes, { mode: 0o600 })
  closeToOthers(part)
  await fs.rename(part, file)
}

/** Removes other users' access, which a restore or mount may have given. Ignored by file systems without modes. */
export function closeToOthers(place: string): void {
  const stat = statSync(place, { throwIfNoEntry: false })
  if (!stat || (stat.mode & 0o077) === 0) return
  try {
    chmodSync(place, stat.isDirectory() ? 0o700 : 0o600)
  } catch (error) {
    if (!['EPERM', 'EROFS', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error
  }
}

export interface Kept {
  id: number
  tokenHash: Buffer | null
  /** Also where the database no longer knows the email. */
  holdsAccountLink: boolean
  to: string
  subject: string
  date: Date
}

export async function listOutbox(
  folder: string,
  limit: number,
  before?: number
): Promise<{ mails: Kept[]; hasMore: boolean }> {
  const names = await fs.readdir(folder).catch(() => [])
  const ids = names.flatMap(name => /^(\d{1,15})\.eml$/.exec(name)?.[1] ?? []).map(Number)
  const older = ids.filter(id => before === undefined || id < before).sort((a, b) => b - a)
  const found = await Promise.all(older.slice(0, limit).map(id => readKept(folder, id)))
  return { mails: found.filter(mail => mail !== undefined), hasMore: older.length > limit }
}

export interface KeptMail extends Kept {
  from: string
  replyTo: string | undefined
  text: string
  html: string
  bytes: Buffer
}

/** One email as its recipient sees it. Reads only what compile.ts writes. */
export async function readKept(folder: string, deliveryId: number): Promise<KeptMail | undefined> {
  const bytes = await fs.readFile(fileOf(folder, deliveryId)).catch(() => undefined)
  if (!bytes) return undefined
  const whole = bytes.toString('utf8')
  const header = headersOf(whole)
  const boundary = /boundary="([^"]+)"/.exec(header('Content-Type') ?? '')?.[1] ?? ''
  const [, text = '', html = ''] = whole.split(`\r\n--${boundary}`).map(bodyOf)
  const replyTo = header('Reply-To')
  const token = /\/join\/([\w-]{43})(?![\w-])/.exec(text)?.[1]
  return {
    id: deliveryId,
    tokenHash: token ? hashToken(token) : null,
    holdsAccountLink: /\/forgotten\/[\w-]{43}(?![\w-])/.test(text),
    to: decodeText(header('To') ?? ''),
    from: decodeText(header('From') ?? ''),
    replyTo: replyTo && decodeText(replyTo),
    subject: decodeText(header('Subject') ?? ''),
    date: new Date(header('Date') ?? 0),
    text,
    html,
    bytes
  }
}

const fileOf = (folder: string, deliveryId: number) => path.join(folder, `${deliveryId}.eml`)

function headersOf(whole: string) {
  const head = `\r\n${whole.slice(0, whole.indexOf('\r\n\r\n'))}\r\n`
  return (name: string) => new RegExp(`\\r\\n${name}: ((?:.|\\r\\n[ \\t])*)\\r\\n`).exec(head)?.[1]
}

const bodyOf = (part: string) => decodeQuotedPrintable(part.slice(part.indexOf('\r\n\r\n') + 4)).toString('utf8')

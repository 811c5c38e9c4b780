/** The page after a session has ended: a way back to the former page, and what was entered there. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { parseForm } from '../web/forms.ts'
import { longestPath, ownPath } from '../web/redirects.ts'
import type { Doors } from './doors.ts'
import { isSecretField, type KeptForm, sealForm } from './kept-form.ts'
import { idleMinutes } from './session.ts'
import { ownerOfSession } from './store.ts'
import { waysIn } from './ways-in-page.ts'

type Ended = Pick<Deps, 'db' | 'secretKey'> & { baseUrl: string; doors: Doors }

export async function askToSignIn(
  deps: Ended,
  request: FastifyRequest,
  reply: FastifyReply,
  tokenHash: Buffer | undefined
): Promise<FastifyReply> {
  const isPage = request.method === 'GET' || request.method === 'HEAD'
  const isPart = request.headers['hx-request'] === 'true'
  if (isPage && !isPart) return reply.redirect(signInAt(request.url.length <= longestPath ? request.url : '/'), 303)
  const next = pageOf(request, deps.baseUrl)
  reply.header('HX-Redirect', signInAt(next))
  if (isPart) throw new Refusal(401, 'You are signed out. Sign in to continue; nothing was changed.')
  return endedPage(deps, request, reply, tokenHash, next)
}

const signInAt = (next: string) => (next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`)

/** The page that a form or fragment was on, if the browser says so; only ever a path of this site. */
function pageOf({ headers }: FastifyRequest, baseUrl: string): string {
  const said = headers['hx-current-url'] ?? headers.referer
  const page = typeof said === 'string' && said.startsWith(`${baseUrl}/`) ? said.slice(baseUrl.length) : undefined
  return ownPath(page, baseUrl) ?? '/'
}

async function endedPage(
  { db, secretKey, doors }: Ended,
  request: FastifyRequest,
  reply: FastifyReply,
  tokenHash: Buffer | undefined,
  next: string
): Promise<FastifyReply> {
  const fields = await fieldsOf(request)
  if (reply.sent) return reply
  const typed = fields?.filter(([name, value]) => value !== '' && !isSecretField(name)) ?? []
  const hasSecret = fields?.some(([name, value]) => value !== '' && isSecretField(name)) ?? false
  const personId = tokenHash && typed.length > 0 && !hasSecret ? await ownerOfSession(db, tokenHash) : undefined
  const kept = personId && fields ? sealForm(secretKey, { personId, action: request.url, fields }) : undefined
  return reply.page(
    'sessions/ended',
    { title: 'You are signed out', status: 401 },
    {
      next,
      idleMinutes,
      kept: kept ?? null,
      typed: typed.map(([name, value]) => ({ name: labelOf(name), value })),
      isFile: isUpload(request),
      hasSecret,
      ...(await waysIn(db, doors, next))
    }
  )
}

const isUpload = ({ headers }: FastifyRequest) => headers['content-type']?.startsWith('multipart/') === true

const labelOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[-_]/g, ' ')

const maxBytes = 40 * 1024
/** Milliseconds to wait for the entered data: a browser sends it along immediately. */
const timeoutMs = 2000

/** Undefined if it is not a form, too large to keep or too slow. */
async function fieldsOf(request: FastifyRequest): Promise<[string, string][] | undefined> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return undefined
  const body = await bodyOf(request.raw)
  if (!body) return undefined
  try {
    return Object.entries(parseForm(body.toString())).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, each])
    )
  } catch {
    // no page of ours has sent it
    return undefined
  }
}

/** The rest of a body that is too large or too late is left to the connection: closing it here would lose the reply. */
function bodyOf(raw: FastifyRequest['raw']): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let bytes = 0
    const end = (body?: Buffer) => {
      clearTimeout(timer)
      raw.off('data', take)
      raw.resume()
      resolve(body)
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) return end()
      return void chunks.push(chunk)
    }
    const timer = setTimeout(end, timeoutMs)
    raw.on('data', take)
    raw.once('end', () => end(Buffer.concat(chunks)))
    for (const event of ['close', 'error']) raw.once(event, () => end())
  })
}

/** After signing in again: what was entered, and one button that sends it. */
export function keptPage(reply: FastifyReply, email: string, { action, fields }: KeptForm, next: string) {
  const typed = fields.filter(([, value]) => value !== '').map(([name, value]) => ({ name: labelOf(name), value }))
  return reply.page('sessions/send-kept', { title: 'Send what you entered?' }, { email, action, fields, typed, next })
}

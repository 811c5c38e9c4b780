import path from 'node:path'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Database } from '../db/client.ts'
import { last } from '../lib/ends.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { filters, idParams, optionalField } from '../web/forms.ts'
import { policyOfFramedMail, policyWithFrame } from '../web/security.ts'
import { type Kept, type KeptMail, listOutbox, readKept } from './outbox.ts'

interface ById {
  Params: { id: string }
}

const pageSize = 50
const access = 'admin'
const byId = { config: { access }, schema: { params: idParams } } as const

/** The role of the invitation behind each email. Passed in, because mail does not import invitations. */
export type RolesBehind = (db: Database, mails: Kept[]) => Promise<Map<number, Role>>

/** Emails in the outbox hold invitees' links: for admins only, and hidden if the link's role is above the viewer's. */
export function outboxRoutes(app: FastifyInstance, deps: Deps, rolesBehind: RolesBehind): void {
  const folder = path.join(deps.config.dataDir, 'outbox')
  listRoute(app, deps, folder, rolesBehind)
  mailRoutes(app, deps, folder, rolesBehind)
}

function listRoute(app: FastifyInstance, { db }: Deps, folder: string, rolesBehind: RolesBehind): void {
  app.get<{ Querystring: { before?: string } }>(
    '/outbox',
    { config: { access }, schema: { querystring: filters({ before: optionalField() }) } },
    async (request, reply) => {
      const before = /^[1-9]\d{0,14}$/.exec(request.query.before ?? '')?.[0]
      const { mails, hasMore } = await listOutbox(folder, pageSize, before ? Number(before) : undefined)
      const { timeZone, role } = viewerOf(request)
      const roles = await rolesBehind(db, mails)
      return reply.page(
        'mail/outbox/index',
        { title: 'Outbox' },
        {
          mails: mails.map(({ id, to, subject, date }) => ({
            to,
            subject,
            href: includesRole(role, roles.get(id) ?? 'member') ? `/outbox/${id}` : null,
            when: showTime(date, timeZone)
          })),
          first: before ? '/outbox' : null,
          next: hasMore && mails.length > 0 ? `/outbox?before=${last(mails).id}` : null
        }
      )
    }
  )
}

function mailRoutes(app: FastifyInstance, { config, db }: Deps, folder: string, rolesBehind: RolesBehind): void {
  const kept = async (request: FastifyRequest<ById>): Promise<KeptMail> => {
    const mail = await readKept(folder, Number(request.params.id))
    if (!mail) throw new Refusal(404, 'There is no such email in the outbox.')
    const role = (await rolesBehind(db, [mail])).get(mail.id)
    if (role && !includesRole(viewerOf(request).role, role))
      throw new Refusal(
        403,
        'This email holds a link for a person with a higher role than yours, or to an account. Only an owner can read it.'
      )
    return mail
  }

  app.get<ById>('/outbox/:id', byId, async (request, reply) => {
    const mail = await kept(request)
    const when = showTime(mail.date, viewerOf(request).timeZone)
    reply.header('content-security-policy', policyWithFrame)
    return reply.page('mail/outbox/show', { title: mail.subject }, { mail: shown(mail, when, config.baseUrl) })
  })

  app.get<ById>('/outbox/:id(^\\d+).eml', byId, async (request, reply) => {
    const { id, bytes } = await kept(request)
    return reply.header('content-disposition', `attachment; filename="${id}.eml"`).type('message/rfc822').send(bytes)
  })

  app.get<ById>('/outbox/:id/html', byId, async (request, reply) => {
    const { html } = await kept(request)
    return reply
      .header('content-security-policy', policyOfFramedMail)
      .header('x-frame-options', 'SAMEORIGIN')
      .type('text/html; charset=utf-8')
      .send(html)
  })
}

function shown(mail: KeptMail, when: ReturnType<typeof showTime>, baseUrl: string) {
  const { id, to, from, subject, replyTo } = mail
  return {
    to,
    subject,
    when,
    from: withoutQuotes(from),
    replyTo: replyTo ? withoutQuotes(replyTo) : null,
    text: partsOf(mail.text, baseUrl),
    frame: `/outbox/${id}/html`,
    download: `/outbox/${id}.eml`
  }
}

const withoutQuotes = (mailbox: string) => mailbox.replace(/^"([^"\\]*)" </, '$1 <')

/** Splits the text at our own URLs, so that an invitation's link works here. Other URLs stay text. */
function partsOf(text: string, baseUrl: string) {
  const parts = text
    .replaceAll('\r\n', '\n')
    .trim()
    .split(/(https?:\/\/[^\s<>"]+)/)
  return parts.map(part => ({ text: part, isLink: part.startsWith(`${baseUrl}/`) }))
}

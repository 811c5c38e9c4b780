import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { number } from '../lib/words.ts'
import { shownHold } from '../mail/hold-page.ts'
import { limitsInWords } from '../mail/limits-page.ts'
import { readPacing } from '../mail/queue/gate-store.ts'
import { readLimits } from '../mail/queue/limits-store.ts'
import { readHold } from '../mail/queue/origin-store.ts'
import { serverOf } from '../mail/server-limits.ts'
import { readPause } from '../mail/store.ts'
import { organizationOf } from '../organization/store.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, field, form } from '../web/forms.ts'
import { changeMail, decideMailOfCopy } from './change-mail.ts'

const body = form({ per_second: field(), per_domain_per_second: field(), line_days: field() })
type Fields = Static<typeof body>

const maxPerSecond = 100_000

export function mailSettingsRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  copyRoute(app, deps)

  app.get('/settings/mail', { config: { access: 'owner' } }, async (_request, reply) => {
    const [{ perSecond, perDomain }, organization] = await Promise.all([readPacing(db), organizationOf(db)])
    const values = {
      per_second: String(perSecond ?? ''),
      per_domain_per_second: String(perDomain ?? ''),
      line_days: String(organization.lineDays)
    }
    return mailPage(deps, reply, values, {})
  })

  app.post<{ Body: Fields }>(
    '/settings/mail',
    { config: { access: 'owner' }, schema: { body } },
    async (request, reply) => {
      const errors = errorsOf(request.body)
      if (Object.keys(errors).length > 0) return mailPage(deps, reply, request.body, errors)
      const { per_second, per_domain_per_second, line_days } = request.body
      const perSecond = per_second.trim() ? Number(per_second) : null
      const perDomain = per_domain_per_second.trim() ? Number(per_domain_per_second) : null
      await changeMail(db, viewerOf(request).id, { perSecond, perDomain, lineDays: Number(line_days) })
      return redirectWith(reply, db, '/settings/mail', 'Saved.')
    }
  )
}

const isWhole = (text: string, max: number) => /^\d{1,6}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= max

const copyBody = form({ act: field() })

function copyRoute(app: FastifyInstance, deps: Deps) {
  app.post<{ Body: Static<typeof copyBody> }>(
    '/settings/mail/copy',
    { config: { access: 'owner' }, schema: { body: copyBody } },
    async (request, reply) => {
      const { act } = request.body
      if (act !== 'send' && act !== 'discard')
        throw new Refusal(422, 'Choose whether to send or discard the held emails.')
      const isDone = await decideMailOfCopy(deps, viewerOf(request).id, act, request.log)
      if (!isDone) throw new Refusal(409, 'No decision is needed: no email is held here, or another owner has decided.')
      const words = act === 'send' ? 'This database sends email from now on.' : 'Held emails discarded.'
      deps.wake()
      return redirectWith(reply, deps.db, '/settings/mail', words)
    }
  )
}

function errorsOf({ per_second, per_domain_per_second, line_days }: Fields): FieldErrors {
  const errors: FieldErrors = {}
  const rate = `Enter a whole number from 1 to ${number(maxPerSecond)}, or leave it blank.`
  if (per_second.trim() && !isWhole(per_second, maxPerSecond)) errors.per_second = rate
  if (per_domain_per_second.trim() && !isWhole(per_domain_per_second, maxPerSecond)) errors.per_domain_per_second = rate
  if (!isWhole(line_days, 3650)) errors.line_days = 'Enter a number of days from 1 to 3650.'
  return errors
}

async function mailPage({ db, config }: Deps, reply: FastifyReply, values: Fields, errors: FieldErrors) {
  const isWrong = Object.keys(errors).length > 0
  const { smtp, mailFrom } = config
  const [pause, hold, known] = await Promise.all([readPause(db), readHold(db), smtp && readLimits(db, serverOf(smtp))])
  return reply.page(
    'settings/mail',
    { title: isWrong ? 'Error: Mail' : 'Mail', section: 'Settings', status: isWrong ? 422 : 200 },
    {
      values,
      errors,
      server: smtp ? `${smtp.host}, port ${smtp.port}` : null,
      security: smtp ? securityOf(smtp) : null,
      connections: smtp?.connections ?? null,
      limits: smtp ? limitsInWords(smtp, known) : [],
      from: mailFrom.name ? `${mailFrom.name} <${mailFrom.address}>` : mailFrom.address,
      hold: hold ? shownHold(hold, viewerOf(reply.request).timeZone) : null,
      pause: pause ? { reason: pause.reason, since: showTime(pause.since, viewerOf(reply.request).timeZone) } : null
    }
  )
}

function securityOf({ secure, requireTls, user }: NonNullable<Deps['config']['smtp']>): string {
  const tls = secure ? 'TLS' : requireTls ? 'STARTTLS, required' : 'STARTTLS when the server offers it'
  return user ? `${tls}; signed in as ${user}` : tls
}

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { number } from '../lib/words.ts'
import { shownHold } from '../mail/hold-page.ts'
import { limitsInWords } from '../mail/limits-page.ts'
import { readLimits } from '../mail/queue/limits-store.ts'
import { readHold } from '../mail/queue/origin-store.ts'
import { serverOf } from '../mail/server-limits.ts'
import { readPause } from '../mail/store.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, field, form, optionalField } from '../web/forms.ts'
import { changeMail, decideMailOfCopy, mailValues } from './change-mail.ts'

const body = form({
  mails_per_second: optionalField(),
  mails_per_second_per_domain: optionalField(),
  keep_lines_days: optionalField()
})
type Fields = Required<Static<typeof body>>

const maxPerSecond = 100_000

export function mailSettingsRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  copyRoute(app, deps)

  app.get('/settings/mail', { config: { access: 'owner' } }, async (_request, reply) => {
    return mailPage(deps, reply, shownValues(await mailValues(db)), {})
  })

  app.post<{ Body: Static<typeof body> }>(
    '/settings/mail',
    { config: { access: 'owner' }, schema: { body } },
    async (request, reply) => {
      const values = { ...shownValues(await mailValues(db)), ...request.body }
      const errors = errorsOf(values)
      if (Object.keys(errors).length > 0) return mailPage(deps, reply, values, errors)
      const { mails_per_second, mails_per_second_per_domain, keep_lines_days } = values
      const perSecond = mails_per_second.trim() ? Number(mails_per_second) : null
      const perDomain = mails_per_second_per_domain.trim() ? Number(mails_per_second_per_domain) : null
      await changeMail(db, viewerOf(request).id, { perSecond, perDomain, lineDays: Number(keep_lines_days) })
      return redirectWith(reply, db, '/settings/mail', 'Saved.')
    }
  )
}

const shownValues = (values: Awaited<ReturnType<typeof mailValues>>): Fields => ({
  mails_per_second: String(values.mails_per_second ?? ''),
  mails_per_second_per_domain: String(values.mails_per_second_per_domain ?? ''),
  keep_lines_days: String(values.keep_lines_days)
})

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

function errorsOf(values: Fields): FieldErrors {
  const errors: FieldErrors = {}
  const rate = `Enter a whole number from 1 to ${number(maxPerSecond)}, or leave it blank.`
  for (const name of ['mails_per_second', 'mails_per_second_per_domain'] as const)
    if (values[name].trim() && !isWhole(values[name], maxPerSecond)) errors[name] = rate
  if (!isWhole(values.keep_lines_days, 3650)) errors.keep_lines_days = 'Enter a number of days from 1 to 3650.'
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

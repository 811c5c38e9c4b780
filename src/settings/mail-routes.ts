import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { number } from '../lib/words.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, field, form, optionalField } from '../web/forms.ts'
import { changeMail, decideMailOfCopy, mailValues } from './change-mail.ts'
import { type MailValues, mailPage, shownValues } from './mail-page.ts'
import { mailTestRoutes } from './mail-test-routes.ts'

const body = form({
  mails_per_second: optionalField(),
  mails_per_second_per_domain: optionalField(),
  keep_lines_days: optionalField()
})

const maxPerSecond = 100_000

export function mailSettingsRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  copyRoute(app, deps)
  mailTestRoutes(app, deps)

  app.get('/settings/mail', { config: { access: 'owner' } }, async (_request, reply) => {
    return mailPage(deps, reply)
  })

  app.post<{ Body: Static<typeof body> }>(
    '/settings/mail',
    { config: { access: 'owner' }, schema: { body } },
    async (request, reply) => {
      const values = { ...shownValues(await mailValues(db)), ...request.body }
      const errors = errorsOf(values)
      if (Object.keys(errors).length > 0) return mailPage(deps, reply, { values, errors })
      const { mails_per_second, mails_per_second_per_domain, keep_lines_days } = values
      const perSecond = mails_per_second.trim() ? Number(mails_per_second) : null
      const perDomain = mails_per_second_per_domain.trim() ? Number(mails_per_second_per_domain) : null
      await changeMail(db, viewerOf(request).id, { perSecond, perDomain, lineDays: Number(keep_lines_days) })
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

function errorsOf(values: MailValues): FieldErrors {
  const errors: FieldErrors = {}
  const rate = `Enter a whole number from 1 to ${number(maxPerSecond)}, or leave it blank.`
  for (const name of ['mails_per_second', 'mails_per_second_per_domain'] as const)
    if (values[name].trim() && !isWhole(values[name], maxPerSecond)) errors[name] = rate
  if (!isWhole(values.keep_lines_days, 3650)) errors.keep_lines_days = 'Enter a number of days from 1 to 3650.'
  return errors
}

import type { FastifyReply } from 'fastify'
import { shownHold } from '../mail/hold-page.ts'
import { limitsInWords } from '../mail/limits-page.ts'
import { readLimits } from '../mail/queue/limits-store.ts'
import { readHold } from '../mail/queue/origin-store.ts'
import { serverOf } from '../mail/server-limits.ts'
import { readPause } from '../mail/store.ts'
import type { MailStep, MailStepName } from '../mail/wire/try-server.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import type { FieldErrors } from '../web/forms.ts'
import { mailValues } from './change-mail.ts'

export type MailValues = Record<keyof Awaited<ReturnType<typeof mailValues>>, string>

interface Answer {
  values?: MailValues
  errors?: FieldErrors
  status?: number
  /** Of a test: where it went, what the server said, and the file that holds it where there is no server. */
  to?: string
  steps?: MailStep[]
  kept?: string
}

const stepNames: Record<MailStepName, string> = {
  name: 'Name',
  connection: 'Connection',
  greeting: 'Greeting',
  tls: 'Encryption',
  'sign-in': 'Sign-in',
  sender: 'Sender',
  recipient: 'Recipient',
  accepted: 'Accepted'
}

export const shownValues = (values: Awaited<ReturnType<typeof mailValues>>): MailValues => ({
  mails_per_second: String(values.mails_per_second ?? ''),
  mails_per_second_per_domain: String(values.mails_per_second_per_domain ?? ''),
  keep_lines_days: String(values.keep_lines_days)
})

export async function mailPage(deps: Deps, reply: FastifyReply, answer: Answer = {}) {
  const { db, config } = deps
  const { errors = {}, steps, kept, status } = answer
  const values = answer.values ?? shownValues(await mailValues(db))
  const isWrong = Object.keys(errors).length > 0
  const { smtp, mailFrom } = config
  const [pause, hold, known] = await Promise.all([readPause(db), readHold(db), smtp && readLimits(db, serverOf(smtp))])
  return reply.page(
    'settings/mail',
    { title: isWrong ? 'Error: Mail' : 'Mail', section: 'Settings', status: status ?? (isWrong ? 422 : 200) },
    {
      values,
      errors,
      to: answer.to ?? viewerOf(reply.request).email,
      kept: kept ?? null,
      steps: steps?.map(step => ({ ...step, name: stepNames[step.name] })) ?? null,
      faults: reply.request.headers['hx-request-type'] === 'partial' ? Object.values(errors) : [],
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

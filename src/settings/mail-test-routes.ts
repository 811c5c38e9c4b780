import path from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { waitInWords } from '../lib/duration.ts'
import { keepEmail } from '../mail/outbox.ts'
import { testEmail } from '../mail/test-email.ts'
import { tryServer } from '../mail/wire/try-server.ts'
import { organizationOf } from '../organization/store.ts'
import { requireRole } from '../people/store.ts'
import { type Viewer, viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { field, form } from '../web/forms.ts'
import { perMinute } from '../web/per-minute.ts'
import { mailPage } from './mail-page.ts'

const maxPerMinute = 5

/** Sends one email to the owner who asks, and shows what the server says to each command. */
export function mailTestRoutes(app: FastifyInstance, deps: Deps): void {
  const wait = perMinute(maxPerMinute)
  app.post<{ Body: { to: string } }>(
    '/settings/mail/test',
    { config: { access: 'owner', patienceSeconds: 120 }, schema: { body: form({ to: field() }) } },
    async (request, reply) => {
      const viewer = viewerOf(request)
      await requireRole(deps.db, viewer.id, 'owner')
      const to = request.body.to.trim()
      if (keyOf(to) === undefined || keyOf(to) !== keyOf(viewer.email))
        return mailPage(deps, reply, { to, errors: { to: `The test goes to your own address only: ${viewer.email}` } })
      const seconds = wait(viewer.id)
      if (seconds > 0) {
        reply.header('retry-after', String(seconds))
        const text = `That is more than ${maxPerMinute} tests in a minute. Wait ${waitInWords(seconds)} and try again.`
        return mailPage(deps, reply, { to, status: 429, errors: { to: text } })
      }
      return send(deps, reply, viewer)
    }
  )
}

function keyOf(text: string): string | undefined {
  const address = parseAddress(text)
  return 'fault' in address ? undefined : address.key
}

async function send(deps: Deps, reply: FastifyReply, { name, email }: Viewer) {
  const { config, db } = deps
  const from = { ...config.mailFrom, name: config.mailFrom.name || (await organizationOf(db)).organization }
  const mail = testEmail(from, { name, address: email }, config.baseUrl)
  if (config.smtp) return mailPage(deps, reply, { steps: await tryServer(config.smtp, mail) })
  const file = `test-${new Date().toISOString().replace(/\W/g, '')}`
  await keepEmail(path.join(config.dataDir, 'outbox'), file, mail.bytes())
  return mailPage(deps, reply, { kept: `outbox/${file}.eml` })
}

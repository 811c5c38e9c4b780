import type { FastifyInstance } from 'fastify'
import { connectionsOf, type Database, inTime } from '../db/client.ts'
import { countPending } from '../db/migrate.ts'
import { type KnownLimits, readLimits } from '../mail/queue/limits-store.ts'
import { serverOf } from '../mail/server-limits.ts'
import { readPause } from '../mail/store.ts'
import { countPeople } from '../people/counts-store.ts'
import { enrollments } from '../people/person.ts'
import type { Deps } from '../web/deps.ts'
import { countStates, type StateCount, secondsOverdue } from './store.ts'

/** For operators and their monitors: without sign-in, under any Host, without personal data. */
export function operatorRoutes(app: FastifyInstance, { db, config: { smtp } }: Deps): void {
  const config = { access: 'operator' } as const

  app.get('/live', { config }, async (_request, reply) => reply.type('text/plain').send('ok'))

  app.get('/ready', { config }, async (_request, reply) => {
    const causes = await reasonsNotToServe(db)
    return reply
      .code(causes.length === 0 ? 200 : 503)
      .type('text/plain')
      .send(causes.length === 0 ? 'ok' : causes.map(cause => `${cause}\n`).join(''))
  })

  app.get('/metrics', { config }, async (_request, reply) => {
    const lines = await metrics(db, smtp)
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(`${lines.join('\n')}\n`)
  })
}

/** A mail server or directory that is down does not count: pages work without them. */
async function reasonsNotToServe(db: Database): Promise<string[]> {
  try {
    const pending = await inTime(countPending(db), 1000)
    return pending === 0 ? [] : [`migrations: ${pending} pending, a restart of Rollcall applies them`]
  } catch {
    return ['database: not answering']
  }
}

async function metrics(db: Database, smtp: Deps['config']['smtp']): Promise<string[]> {
  const [{ deliveries, batches }, people, pause, overdue, known] = await Promise.all([
    countStates(db),
    countPeople(db),
    readPause(db),
    secondsOverdue(db),
    smtp && readLimits(db, serverOf(smtp))
  ])
  const enrolled = enrollments.map(state => ({
    state,
    count: people.filter(({ enrollment }) => enrollment === state).reduce((sum, { count }) => sum + count, 0)
  }))
  return [
    ...family('rollcall_deliveries', 'Emails by state', 'state', deliveries),
    ...family('rollcall_batches', 'Batches by state', 'state', batches),
    ...family('rollcall_people', 'People by enrollment', 'enrollment', enrolled),
    ...gauge('rollcall_mail_paused', 'Is sending paused because the mail server is unreachable', pause ? 1 : 0),
    ...limitGauges(known),
    ...gauge('rollcall_mail_overdue_seconds', 'How long the oldest due email has waited', overdue),
    ...gauge('rollcall_database_connections', 'Connections of the pages to the database', connectionsOf(db).open),
    ...gauge('rollcall_database_connections_max', 'Connections that the pages may have', connectionsOf(db).max),
    ...gauge('process_resident_memory_bytes', 'Memory of this process', process.memoryUsage.rss()),
    ...gauge('process_uptime_seconds', 'Age of this process', Math.round(process.uptime()))
  ]
}

function limitGauges(known: KnownLimits | undefined): string[] {
  if (!known) return []
  const { connections, mailsPerConnection, perMinute, restUntil } = known
  const rest = restUntil ? Math.max(0, Math.round((restUntil.getTime() - Date.now()) / 1000)) : 0
  const limits: [name: string, help: string, value: number | null][] = [
    ['connections', 'Connections that the mail server allows at once', connections],
    ['mails_per_connection', 'Emails that the mail server accepts over one connection', mailsPerConnection],
    ['mails_per_minute', 'Emails per minute that the mail server accepts', perMinute],
    ['rest_seconds', 'How long the mail server asked Rollcall to wait', rest]
  ]
  return limits.flatMap(([name, help, value]) =>
    value === null ? [] : gauge(`rollcall_mail_limit_${name}`, help, value)
  )
}

const headed = (name: string, help: string, samples: string[]) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...samples
]

const gauge = (name: string, help: string, value: number) => headed(name, help, [`${name} ${value}`])

const family = (name: string, help: string, label: string, counts: StateCount[]) =>
  headed(
    name,
    help,
    counts.map(({ state, count }) => `${name}{${label}="${state}"} ${count}`)
  )

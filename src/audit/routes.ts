import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { idOf } from '../lib/id.ts'
import { pagesOf } from '../lib/paging.ts'
import { viewerOf } from '../web/access.ts'
import { sendCsv } from '../web/csv.ts'
import { showTime, startOfDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { filters, optionalField } from '../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../web/list.ts'
import { describeEvent, type EventRow, eventKinds, isEventKind } from './event.ts'
import { detailInWords } from './setting-event.ts'
import { type EventFilter, type ListedEvent, listActors, listEvents } from './store.ts'

const querystring = filters({
  kind: optionalField(),
  actor: optionalField(),
  from: optionalField(),
  to: optionalField(),
  before: optionalField()
})
type Query = Static<typeof querystring>

/** New columns come last, for readers that go by position. */
const header = 'at,actor,event,person,batch,text,details,actor_address,actor_id,person_address,person_id'.split(',')

export function activityRoutes(app: FastifyInstance, { db }: Deps): void {
  const options = { config: { access: 'auditor' }, schema: { querystring } } as const

  app.get<{ Querystring: Query }>('/activity', options, async (request, reply) => {
    const { query } = request
    const { timeZone } = viewerOf(request)
    const filter = readFilter(query, timeZone)
    const [rows, actors] = await Promise.all([listEvents(db, filter, rowsToRead, idOf(query.before)), listActors(db)])
    const page = pageOf(rows, event => event.id)
    return reply.page(
      'audit/index',
      { title: 'Activity', section: 'Activity' },
      {
        events: page.rows.map(event => shownEvent(event, timeZone)),
        kinds: Object.keys(eventKinds).map(value => ({ value, text: wordsOf(value), isChosen: value === filter.kind })),
        actors: actors.map(actor => actorOption(actor, actors, filter.actorId)),
        from: dayOf(query.from) ?? '',
        to: dayOf(query.to) ?? '',
        isFiltered: Boolean(filter.kind || filter.actorId || filter.from || filter.to),
        csv: hrefOf('/activity.csv', query, { before: '' }),
        ...linksOf(page, Boolean(query.before), before => hrefOf('/activity', query, { before }))
      }
    )
  })

  app.get<{ Querystring: Query }>('/activity.csv', options, async (request, reply) => {
    const filter = readFilter(request.query, viewerOf(request).timeZone)
    const pages = pagesOf<ListedEvent>((limit, last) => listEvents(db, filter, limit, last?.id))
    return sendCsv(reply, 'activity', header, tableOf(pages))
  })
}

async function* tableOf(pages: AsyncIterable<EventRow[]>) {
  for await (const rows of pages) {
    yield rows.map(event => {
      const { actor, text } = describeEvent(event)
      const details = Object.keys(event.details).length > 0 ? JSON.stringify(event.details) : ''
      const { at, kind, personName, batchId, actorEmail, actorId, personEmail, personId } = event
      const ids = [actorEmail, actorId, personEmail, personId]
      return [at.toISOString(), actor, kind, personName, batchId, text, details, ...ids]
    })
  }
}

function readFilter({ kind = '', actor, from, to }: Query, timeZone: string): EventFilter {
  const [first, last] = [dayOf(from), dayOf(to)]
  return {
    kind: isEventKind(kind) ? kind : undefined,
    actorId: idOf(actor),
    from: first === undefined ? undefined : startOfDay(first, timeZone),
    to: last === undefined ? undefined : startOfDay(last, timeZone, 1)
  }
}

/** A calendar day as a date field sends it, or undefined. There is no year 0. */
function dayOf(text: string | undefined): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text) || text < '0001') return undefined
  const date = new Date(`${text}T00:00:00Z`)
  return Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text) ? undefined : text
}

function personIn({ personName, personEmail }: EventRow): string {
  if (!personName) return 'the person'
  return personEmail && personEmail !== personName ? `${personName} (${personEmail})` : personName
}

/** Kinds whose id does not read as the sentence of the event does. */
const kindNames: Record<string, string> = {
  'copy-sends': 'Held emails released',
  'copy-discarded': 'Held emails discarded',
  'password-guessed': 'Wrong passwords',
  'upload-cut': 'Upload interrupted',
  'batch-cancelled': 'Batch canceled',
  'mails-retried': 'Emails retried',
  'link-shown': 'Invitation link viewed',
  'suppression-lifted': 'Email allowed again',
  'groups-synced': 'Directory groups added',
  'group-read': 'Sync finished',
  'group-parked': 'Removals waiting for approval',
  'group-failed': 'Sync failed',
  'leavers-held': 'Leavers waiting for approval'
} satisfies Partial<Record<keyof typeof eventKinds, string>>

/** "batch-paused" → "Batch paused". */
const wordsOf = (kind: string) => kindNames[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('-', ' ')

type Actor = Awaited<ReturnType<typeof listActors>>[number]

/** Two people may have the same name, so their addresses distinguish them. */
function actorOption({ id, name, email }: Actor, all: Actor[], chosen: number | undefined) {
  const isAlone = all.filter(other => other.name === name).length === 1
  return { value: String(id), text: isAlone ? name : `${name} (${email})`, isChosen: id === chosen }
}

function shownEvent(event: ListedEvent, timeZone: string) {
  const details = Object.entries(event.details).filter(([, value]) => value !== null && value !== '')
  return {
    ...describeEvent(event),
    when: showTime(event.at, timeZone),
    by:
      event.actorId === null
        ? null
        : { href: `/people/${event.actorId}`, email: event.actorEmail ?? '', id: event.actorId },
    links: [
      ...(event.personId ? [{ href: `/people/${event.personId}`, text: personIn(event) }] : []),
      ...(event.batchId ? [{ href: `/batches/${event.batchId}`, text: `batch ${event.batchId}` }] : [])
    ],
    details: details.map(([name, value]) => detailInWords(name, value ?? ''))
  }
}

import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { pagesOf } from '../lib/paging.ts'
import { sendCsv } from '../web/csv.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { filters, optionalField } from '../web/forms.ts'
import { describeEvent, type EventRow, eventKinds, isEventKind } from './event.ts'
import { type EventFilter, type ListedEvent, listActors, listEvents } from './store.ts'

const querystring = filters({
  ...{ kind: optionalField(), actor: optionalField(), from: optionalField(), to: optionalField() },
  before: optionalField()
})
type Query = Static<typeof querystring>

const pageSize = 50
const header = 'at,actor,event,person,batch,text,details'.split(',')

/** The audit trail. */
export function activityRoutes(app: FastifyInstance, { db }: Deps): void {
  const options = { config: { access: 'auditor' }, schema: { querystring } } as const

  app.get<{ Querystring: Query }>('/activity', options, async (request, reply) => {
    const { query } = request
    const { timeZone } = request.viewer!
    const filter = readFilter(query, timeZone)
    const [rows, actors] = await Promise.all([
      listEvents(db, filter, pageSize + 1, numberOf(query.before)),
      listActors(db)
    ])
    const shown = rows.slice(0, pageSize)
    return reply.page(
      'audit/index',
      { title: 'Activity', section: 'Activity' },
      {
        events: shown.map(event => shownEvent(event, timeZone)),
        kinds: Object.keys(eventKinds).map(value => ({ value, text: wordsOf(value), isChosen: value === filter.kind })),
        actors: actors.map(({ id, name }) => ({ value: String(id), text: name, isChosen: id === filter.actorId })),
        from: filter.from ?? '',
        to: filter.to ?? '',
        isFiltered: Boolean(filter.kind || filter.actorId || filter.from || filter.to),
        csv: href('/activity.csv', { ...query, before: '' }),
        first: query.before ? href('/activity', { ...query, before: '' }) : null,
        next: rows.length > pageSize ? href('/activity', { ...query, before: String(shown.at(-1)!.id) }) : null
      }
    )
  })

  app.get<{ Querystring: Query }>('/activity.csv', options, async (request, reply) => {
    const filter = readFilter(request.query, request.viewer!.timeZone)
    const pages = pagesOf<ListedEvent>((limit, last) => listEvents(db, filter, limit, last?.id))
    return sendCsv(reply, 'activity', header, tableOf(pages))
  })
}

async function* tableOf(pages: AsyncIterable<EventRow[]>) {
  for await (const rows of pages) {
    yield rows.map(event => {
      const { actor, text } = describeEvent(event)
      const details = Object.keys(event.details).length > 0 ? JSON.stringify(event.details) : ''
      return [event.at.toISOString(), actor, event.kind, event.personName, event.batchId, text, details]
    })
  }
}

function readFilter({ kind = '', actor, from, to }: Query, timeZone: string): EventFilter {
  return {
    kind: isEventKind(kind) ? kind : undefined,
    actorId: numberOf(actor),
    from: dayOf(from),
    to: dayOf(to),
    timeZone
  }
}

const numberOf = (text: string | undefined) => (text && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined)

/** A day of the calendar as a date field sends it, or undefined. There is no year 0. */
function dayOf(text: string | undefined): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text) || text < '0001') return undefined
  const date = new Date(`${text}T00:00:00Z`)
  return Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text) ? undefined : text
}

/** "batch-paused" → "Batch paused". */
const wordsOf = (kind: string) => kind[0]!.toUpperCase() + kind.slice(1).replaceAll('-', ' ')

function href(path: string, query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path
}

function shownEvent(event: ListedEvent, timeZone: string) {
  const details = Object.entries(event.details).filter(([, value]) => value !== null && value !== '')
  return {
    ...describeEvent(event),
    when: showTime(event.at, timeZone),
    links: [
      ...(event.personId ? [{ href: `/people/${event.personId}`, text: event.personName ?? 'the person' }] : []),
      ...(event.batchId ? [{ href: `/batches/${event.batchId}`, text: `batch ${event.batchId}` }] : [])
    ],
    details: details.map(([name, value]) => ({ name, value: String(value) }))
  }
}

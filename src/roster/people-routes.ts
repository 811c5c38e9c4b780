import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { pagesOf } from '../lib/paging.ts'
import { includesRole } from '../lib/role.ts'
import { searchText } from '../lib/search-text.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { deliveryBadge, deliveryBadges, deliveryChoices, noMailWords } from '../mail/delivery-badges.ts'
import { countEnrollments } from '../people/counts.ts'
import { countPeople, type PeopleCount } from '../people/counts-store.ts'
import { enrollmentBadges, enrollments, isEnrollment } from '../people/person.ts'
import type { DeliveryState } from '../people/store.ts'
import { viewerOf } from '../web/access.ts'
import { sendCsv } from '../web/csv.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { filters, optionalField } from '../web/forms.ts'
import { initialsOf } from '../web/pages.ts'
import { type Listed, listPeople, type PeopleFilter } from './list-store.ts'

const querystring = filters({
  q: optionalField(),
  status: optionalField(),
  delivery: optionalField(),
  after: optionalField(),
  refresh: optionalField()
})
type Query = Static<typeof querystring>

const pageSize = 50
const header = 'name,address,role,enrollment,delivery,invited_at,signed_up_at,no_mail'.split(',')

export function peopleRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const options = { config: { access: 'auditor' }, schema: { querystring } } as const

  app.get<{ Querystring: Query }>('/people', options, async (request, reply) => {
    const filter = readFilter(request.query)
    const [rows, counts] = await Promise.all([
      listPeople(db, filter, pageSize + 1, request.query.after),
      countPeople(db)
    ])
    const people = rows.slice(0, pageSize)
    const states = countEnrollments(counts)
    const { timeZone } = viewerOf(request)
    return reply.page(
      'roster/index',
      { title: 'People', section: 'People' },
      {
        q: filter.q ?? '',
        status: filter.enrollment ?? '',
        delivery: filter.delivery ?? '',
        counts: enrollments.map(state => countOf(states[state], state, request.query)),
        deliveries: deliveryChoices(filter.delivery, seenAmong(counts)),
        totalText: peopleInWords(counts.reduce((sum, row) => sum + row.count, 0)),
        mayInvite: includesRole(viewerOf(request).role, 'admin'),
        found: foundInWords(people.length, rows.length > pageSize, request.query.after !== undefined),
        rows: people.map(person => shownPerson(person, timeZone)),
        csv: href(request.query, { after: '' }, '/people.csv'),
        isFiltered: Boolean(filter.q || filter.enrollment || filter.delivery),
        first: request.query.after ? href(request.query, { after: '' }) : null,
        next: rows.length > pageSize ? href(request.query, { after: people.at(-1)!.addressKey }) : null
      }
    )
  })

  app.get<{ Querystring: Query }>('/people.csv', options, async (request, reply) =>
    sendCsv(reply, 'people', header, linesOf(deps, readFilter(request.query)))
  )
}

async function* linesOf({ db }: Deps, filter: PeopleFilter) {
  const pages = pagesOf<Listed>((limit, last) => listPeople(db, filter, limit, last?.addressKey))
  for await (const rows of pages) {
    yield rows.map(row => [
      ...[row.name, row.email, row.role, row.enrollment, row.delivery],
      ...[row.invitedAt?.toISOString(), row.signedUpAt?.toISOString(), row.suppression]
    ])
  }
}

/** What a page of results shows, in words: the count is of the page, everything else would be a scan. */
function foundInWords(shown: number, hasMore: boolean, isLater: boolean): string {
  if (shown === 0) return 'No one matches'
  if (hasMore) return isLater ? `${peopleInWords(shown)} more on this page` : `The first ${peopleInWords(shown)}`
  return isLater ? `The last ${peopleInWords(shown)}` : peopleInWords(shown)
}

function readFilter(query: Query) {
  const q = searchText(query.q)
  const delivery =
    query.delivery && Object.hasOwn(deliveryBadges, query.delivery) ? (query.delivery as DeliveryState) : undefined
  return {
    q: [...q].length >= 2 ? q : undefined,
    enrollment: query.status && isEnrollment(query.status) ? query.status : undefined,
    delivery
  }
}

const seenAmong = (counts: PeopleCount[]) => ({
  hasLeft: counts.some(({ delivery, isKept }) => delivery === 'sent' && !isKept),
  hasKept: counts.some(({ isKept }) => isKept)
})

function countOf(value: number, state: (typeof enrollments)[number], query: Query) {
  const isChosen = query.status === state
  return {
    state,
    value,
    shown: number(value),
    ...enrollmentBadges[state],
    isChosen,
    href: href(query, { status: isChosen ? '' : state, after: '' })
  }
}

/** The same page with some filters changed; blank ones are left out. */
function href(query: Query, changed: Partial<Query>, path = '/people'): string {
  const { refresh: _, ...all } = { ...query, ...changed }
  const parameters = new URLSearchParams(Object.entries(all).filter(([, value]) => value) as [string, string][])
  return parameters.size > 0 ? `${path}?${parameters}` : path
}

function shownPerson(person: Listed, timeZone: string) {
  const name = person.name ?? person.email
  return {
    href: `/people/${person.id}`,
    name,
    initials: initialsOf(name),
    email: person.email,
    enrollment: person.enrollment,
    enrollmentBadge: enrollmentBadges[person.enrollment],
    delivery: person.delivery ?? '',
    deliveryBadge: deliveryBadge(person),
    noMail: noMailWords(person.suppression),
    invited: person.invitedAt ? showDay(person.invitedAt, timeZone) : null
  }
}

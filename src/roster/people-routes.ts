import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { isKeyOf } from '../lib/known.ts'
import { pagesOf } from '../lib/paging.ts'
import { includesRole } from '../lib/role.ts'
import { searchTerm } from '../lib/search-text.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { deliveryBadge, deliveryBadges, deliveryChoices, noMailWords } from '../mail/delivery-badges.ts'
import { countEnrollments } from '../people/counts.ts'
import { countPeople, type PeopleCount } from '../people/counts-store.ts'
import { enrollmentBadges, enrollments, isEnrollment } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import { sendCsv } from '../web/csv.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { filters, optionalField } from '../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../web/list.ts'
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

const header = 'name,address,role,enrollment,delivery,invited_at,signed_up_at,no_mail'.split(',')

export function peopleRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const options = { config: { access: 'auditor' }, schema: { querystring } } as const

  app.get<{ Querystring: Query }>('/people', options, async (request, reply) => {
    const filter = readFilter(request.query)
    const [rows, counts] = await Promise.all([listPeople(db, filter, rowsToRead, request.query.after), countPeople(db)])
    const page = pageOf(rows, person => person.addressKey)
    const { refresh: _, ...query } = request.query
    const states = countEnrollments(counts)
    const { timeZone } = viewerOf(request)
    return reply.page(
      'roster/index',
      { title: 'People', section: 'People' },
      {
        q: filter.q ?? '',
        status: filter.enrollment ?? '',
        delivery: filter.delivery ?? '',
        counts: enrollments.map(state => countOf(states[state], state, query)),
        deliveries: deliveryChoices(filter.delivery, seenAmong(counts)),
        totalText: peopleInWords(counts.reduce((sum, row) => sum + row.count, 0)),
        mayInvite: includesRole(viewerOf(request).role, 'admin'),
        found: foundInWords(page.rows.length, page.hasMore, query.after !== undefined),
        rows: page.rows.map(person => shownPerson(person, timeZone)),
        csv: hrefOf('/people.csv', query, { after: '' }),
        isFiltered: Boolean(filter.q || filter.enrollment || filter.delivery),
        ...linksOf(page, Boolean(query.after), after => hrefOf('/people', query, { after }))
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

/** The count is of the page, because a total would need a scan. */
function foundInWords(shown: number, hasMore: boolean, isLater: boolean): string {
  if (shown === 0) return 'No one matches'
  if (hasMore) return isLater ? `${peopleInWords(shown)} more on this page` : `The first ${peopleInWords(shown)}`
  return isLater ? `The last ${peopleInWords(shown)}` : peopleInWords(shown)
}

function readFilter(query: Query) {
  const { delivery = '' } = query
  return {
    q: searchTerm(query.q),
    enrollment: query.status && isEnrollment(query.status) ? query.status : undefined,
    delivery: isKeyOf(deliveryBadges, delivery) ? delivery : undefined
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
    href: hrefOf('/people', query, { status: isChosen ? '' : state, after: '' })
  }
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

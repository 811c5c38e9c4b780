import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { describeEvent } from '../audit/event.ts'
import { listEvents } from '../audit/store.ts'
import { undecidedInWords } from '../entries/entries-page.ts'
import { openRequests } from '../invitations/store.ts'
import { heldLeavers } from '../leavers/to-let-go.ts'
import { first, last } from '../lib/ends.ts'
import { includesRole } from '../lib/role.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { shownHold } from '../mail/hold-page.ts'
import { readHold } from '../mail/queue/origin-store.ts'
import { readPause } from '../mail/store.ts'
import { countEnrollments, type Funnel, funnelOf } from '../people/counts.ts'
import { countPeople, type PeopleCount, type WeeklyTotal, weeklyTotals } from '../people/counts-store.ts'
import { type Enrollment, enrollmentBadges, enrollments } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import { funnel, timeSeries } from '../web/charts.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { filters } from '../web/forms.ts'
import { troubledBatch, troubledMails } from './attention-page.ts'
import { claimTrouble } from './claim-trouble.ts'
import { troubledBatches } from './store.ts'

const weeks = 12
const maxBatches = 5

export function dashboardRoutes(app: FastifyInstance, deps: Deps): void {
  app.get('/', { config: { access: 'auditor' }, schema: { querystring: filters({}) } }, (request, reply) =>
    dashboardPage(deps, request, reply)
  )
}

async function dashboardPage({ db, config }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const { timeZone, role } = viewerOf(request)
  const [counts, totals, requests, troubled, events, pause, hold, leavers, undecided, claim] = await Promise.all([
    countPeople(db),
    weeklyTotals(db, weeks),
    openRequests(db, 20),
    troubledBatches(db, maxBatches + 1),
    listEvents(db, { except: ['signed-in'] }, 6),
    readPause(db),
    readHold(db),
    heldLeavers(db),
    undecidedInWords(db),
    claimTrouble(db)
  ])
  return reply.page(
    'dashboard/index',
    { title: 'Dashboard', section: 'Dashboard' },
    {
      ...enrollmentView(counts, totals, timeZone),
      mayInvite: includesRole(role, 'admin'),
      requests: requests.map(asked => requestView(asked, timeZone)),
      batches: troubled.slice(0, maxBatches).map(batch => troubledBatch(batch, timeZone)),
      hasMoreBatches: troubled.length > maxBatches,
      mails: troubledMails(counts),
      leavers,
      undecided,
      claim,
      keepsMail: config.smtp === undefined,
      hold: hold ? shownHold(hold, timeZone) : null,
      transport: pause ? { reason: pause.reason, since: showTime(pause.since, timeZone) } : null,
      events: events.map(event => ({ ...describeEvent(event), when: showTime(event.at, timeZone) })),
      updated: showTime(new Date(), timeZone)
    }
  )
}

function enrollmentView(counts: PeopleCount[], totals: WeeklyTotal[], timeZone: string) {
  const states = countEnrollments(counts)
  const steps = stepsOf(funnelOf(counts))
  return {
    steps: steps.map(stepView),
    finding: findingOf(steps),
    // only users, and never an invitation: instead of charts, the ways to begin
    isNew: first(steps).value === 0,
    funnel: funnelFigure(steps),
    series: totals.some(week => week.invited > 0) ? seriesOf(totals, timeZone) : null,
    weeks: totals.map(week => weekView(week, timeZone)),
    counts: enrollments.map(state => countView(state, states[state]))
  }
}

/** Each step includes everyone of the next one. */
function stepsOf({ inScope, invited, handedOver, joined }: Funnel) {
  return [
    { name: 'Known people', note: 'except users who were never invited', value: inScope },
    { name: 'Invited', value: invited },
    { name: 'Handed over', value: handedOver },
    { name: 'Joined', value: joined }
  ]
}

const funnelFigure = (steps: Step[]) =>
  funnel({
    id: 'funnel',
    title: 'Enrollment funnel',
    desc: `${steps.map(({ name, value }) => `${name}: ${value}`).join(', ')}.`,
    steps
  })

const weekView = ({ until, invited, joined }: WeeklyTotal, timeZone: string) => ({
  until: dayOf(until, timeZone),
  invited: number(invited),
  joined: number(joined)
})

const countView = (state: Enrollment, value: number) => ({
  state,
  value,
  shown: number(value),
  ...enrollmentBadges[state],
  href: `/people?status=${state}`
})

type OpenRequest = Awaited<ReturnType<typeof openRequests>>[number]

const requestView = ({ personId, name, email, requestedAt, invitationId, isOpen }: OpenRequest, timeZone: string) => ({
  href: `/people/${personId}`,
  answer: isOpen ? `/invitations/${invitationId}/deliveries` : `/people/${personId}/invitations`,
  answerText: isOpen ? 'Send again' : 'Invite again',
  name: name ?? email,
  email,
  when: showTime(requestedAt, timeZone)
})

interface Step {
  name: string
  value: number
}

const stepView = (step: Step, index: number, steps: Step[]) => ({
  ...step,
  shown: number(step.value),
  share: shareOf(step.value, steps[index - 1])
})

/** "79%" of "known people". */
function shareOf(value: number, before: Step | undefined) {
  if (!before) return null
  const part = before.value === 0 ? '–' : percent(value, before.value)
  return { part, of: before.name.toLowerCase() }
}

function findingOf(steps: Step[]): string {
  const [all, done] = [first(steps).value, last(steps).value]
  const part = percent(done, all)
  const people = peopleInWords(all)
  return `${part.charAt(0).toUpperCase()}${part.slice(1)} of ${people} joined`
}

/** Never rounds 1 person down to 0 %, or all but one up to 100 %. */
function percent(part: number, all: number): string {
  if (part === 0 || part === all) return part === 0 ? '0%' : '100%'
  const rounded = Math.round((part / all) * 100)
  return rounded === 0 ? 'fewer than 1%' : rounded === 100 ? 'more than 99%' : `${rounded}%`
}

const dayOf = (date: Date, timeZone: string) =>
  date.toLocaleDateString('en-GB', { timeZone, day: 'numeric', month: 'short' })

function seriesOf(totals: WeeklyTotal[], timeZone: string): string {
  const points = totals.map(week => ({ label: dayOf(week.until, timeZone), values: [week.invited, week.joined] }))
  const now = last(totals)
  const desc = `Running totals by week: ${now.invited} invited and ${now.joined} joined by now.`
  return timeSeries({ id: 'time', title: 'Invited and joined over time', desc, names: ['Invited', 'Joined'], points })
}

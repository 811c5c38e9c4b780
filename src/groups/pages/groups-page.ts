import type { FastifyReply, FastifyRequest } from 'fastify'
import { readDirectory } from '../../directory/settings.ts'
import { undecidedInWords } from '../../entries/entries-page.ts'
import { leaversInWords } from '../../leavers/to-let-go.ts'
import { idOf } from '../../lib/id.ts'
import { includesRole } from '../../lib/role.ts'
import { counted, number } from '../../lib/words.ts'
import { organizationSignInOn } from '../../oidc/organization-sign-in.ts'
import { countLeftOut, leftOutOf } from '../../sync/left-out.ts'
import { runBadges } from '../../sync/run.ts'
import type { ListedGroup } from '../../sync/store.ts'
import { viewerOf } from '../../web/access.ts'
import { bar } from '../../web/charts.ts'
import { showTime } from '../../web/dates.ts'
import type { Deps } from '../../web/deps.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { countSynced, listSynced, type Order, orders } from '../decisions/listing-store.ts'
import { sharesOf, type TeamShares } from '../members/shares-store.ts'
import { searchView } from './search-page.ts'

export interface GroupsQuery {
  q?: string
  group?: string | string[]
  sort?: string
  after?: string
  refresh?: string
}

type GroupsRequest = FastifyRequest<{ Querystring: GroupsQuery }>

export interface Trouble {
  status: number
  heading: string
  list: { href: string; text: string }[]
}

/** `posted`: the groups selected in a form that is shown again. */
export async function groupsPage(
  deps: Deps,
  request: GroupsRequest,
  reply: FastifyReply,
  trouble?: Trouble,
  posted: string[] = []
) {
  const viewer = viewerOf(request)
  const { query } = request
  const mayAct = includesRole(viewer.role, 'admin')
  const isPart = request.headers['hx-request-type'] === 'partial'
  const synced = isPart && mayAct ? null : await syncedView(deps, query, viewer.timeZone, mayAct)
  return reply.page(
    'groups/index',
    {
      title: trouble ? 'Error: Directory groups' : 'Directory groups',
      section: 'Directory groups',
      status: trouble?.status ?? 200,
      refresh: synced?.poll ? { seconds: 5, url: groupsHref(query, { refresh: '1' }) } : null
    },
    {
      mayAct,
      maySet: viewer.role === 'owner',
      trouble: trouble ?? null,
      hasSignIn: await organizationSignInOn(deps),
      undecided: isPart ? null : await undecidedInWords(deps.db),
      leavers: isPart ? null : await leaversView(deps),
      connection: await connectionView(deps),
      search: mayAct ? await searchView(deps, query, posted, reply) : null,
      synced
    }
  )
}

/** The table alone, which polls while one of its groups is being read. */
export async function syncedPart(deps: Deps, request: GroupsRequest, reply: FastifyReply) {
  const { role, timeZone } = viewerOf(request)
  const mayAct = includesRole(role, 'admin')
  const synced = await syncedView(deps, request.query, timeZone, mayAct)
  return reply.page('groups/synced', { title: 'Directory groups' }, { mayAct, synced })
}

async function leaversView({ db }: Deps) {
  const people = await leaversInWords(db)
  return people && `${people} left the directory but can still use Rollcall.`
}

async function connectionView(deps: Deps) {
  const { settings, intervalMinutes, problem } = await readDirectory(deps)
  const host = URL.parse(settings.url)?.host ?? settings.url
  const every = intervalMinutes === 60 ? 'every hour' : `every ${intervalMinutes} minutes`
  return { host, every, problem }
}

async function syncedView({ db }: Deps, query: GroupsQuery, timeZone: string, mayAct: boolean) {
  const order: Order = orders.find(each => each === query.sort) ?? 'name'
  const after = idOf(query.after) ?? null
  const [groups, counts] = await Promise.all([listSynced(db, order, rowsToRead, after), countSynced(db)])
  const page = pageOf(groups, group => group.id)
  const shares = await sharesOf(
    db,
    page.rows.map(group => group.teamId)
  )
  const text = `${counted(counts.groups, 'group')}, ${counted(counts.members, 'member')}`
  const isRunning = page.rows.some(({ lastRun }) => lastRun?.state === 'running')
  return {
    rows: page.rows.map(group => groupView(group, shares.get(group.teamId), timeZone, mayAct)),
    orders: orders.map(each => ({
      name: each,
      href: groupsHref(query, { sort: each, after: '' }),
      isChosen: each === order
    })),
    text,
    ...linksOf(page, after !== null, after => groupsHref(query, { after: after === null ? '' : String(after) })),
    poll: isRunning ? groupsHref(query, { refresh: 'synced' }) : null
  }
}

function groupView(group: ListedGroup, shares: TeamShares | undefined, timeZone: string, mayAct: boolean) {
  const { people = 0, waiting = 0, signedUp = 0 } = shares ?? {}
  const parts = [
    { value: signedUp, className: 'a' },
    { value: waiting, className: 'b' }
  ]
  const run = group.lastRun
  const isWell = run?.state === 'done'
  return {
    id: group.id,
    name: group.name,
    mail: group.mail ?? 'no group address',
    people,
    href: `/groups/${group.id}`,
    // before the first good sync there is nothing to count
    ...(group.lastGoodAt
      ? {
          shown: number(people),
          members: counted(people, 'member'),
          bar: bar(parts, people, 'bar', 0.6),
          enrollment: enrollmentInWords(people, waiting, signedUp)
        }
      : { shown: '–', members: '', bar: '', enrollment: '–' }),
    leftOut: leftOutView(group.receipt),
    state: run?.state ?? 'running',
    badge: isWell ? null : runBadges[run?.state ?? 'running'],
    reason: run?.state === 'failed' ? (run.reason ?? '') : '',
    when: group.lastGoodAt ? showTime(group.lastGoodAt, timeZone) : null,
    syncNow: mayAct && run?.state !== 'running' ? `/groups/${group.id}/sync-runs` : null
  }
}

function leftOutView(receipt: ListedGroup['receipt']) {
  const reasons = receipt ? leftOutOf(receipt) : []
  if (!receipt || reasons.length === 0) return null
  const text = reasons.map(reason => reason.text).join(', ')
  return { count: countLeftOut(receipt), text: `${number(countLeftOut(receipt))} left out: ${text}` }
}

function enrollmentInWords(people: number, waiting: number, signedUp: number): string {
  if (people === 0) return 'No members'
  const open = waiting > 0 ? `, ${number(waiting)} waiting` : ''
  return `${number(signedUp)} of ${number(people)} signed up${open}`
}

function groupsHref({ q, sort, after }: GroupsQuery, changed: Partial<Omit<GroupsQuery, 'group'>>): string {
  return hrefOf('/groups', { q, sort, after }, changed)
}

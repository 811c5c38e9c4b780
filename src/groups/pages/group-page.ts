import type { FastifyReply, FastifyRequest } from 'fastify'
import { last } from '../../lib/ends.ts'
import { includesRole } from '../../lib/role.ts'
import { number, peopleInWords } from '../../lib/words.ts'
import { deliveryChoices } from '../../mail/delivery-badges.ts'
import { type Enrollment, enrollmentBadges, enrollments } from '../../people/person.ts'
import { leftOutWords } from '../../sync/run.ts'
import { findGroup, type ListedGroup, listLeftOut } from '../../sync/store.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import type { IdParams } from '../../web/forms.ts'
import { findSelection } from '../members/selection-store.ts'
import { countMembers, listMembers, type MemberCounts } from '../members/store.ts'
import { changedView, type GroupView, groupings, openSections, queryOf, rowsInSection } from '../members/view.ts'
import { headOf } from './group-head-page.ts'
import { type Go, sectionView } from './section-page.ts'

export const noGroup = () => new Refusal(404, 'There is no such group.')

export async function groupOf({ db }: Deps, request: FastifyRequest<{ Params: IdParams }>): Promise<ListedGroup> {
  const group = await findGroup(db, Number(request.params.id))
  if (!group) throw noGroup()
  return group
}

const maxLeftOut = 100

export async function groupPage(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  group: ListedGroup,
  view: GroupView,
  errors: { href: string; text: string }[] = []
) {
  const { timeZone, role, id: adminId } = viewerOf(request)
  const mayAct = includesRole(role, 'admin')
  const found = await selectionOf(deps, group, view, adminId)
  const [listed, leftOut] = await Promise.all([
    readMembers(deps, group, view, found?.id ?? null),
    listLeftOut(deps.db, group.id, maxLeftOut)
  ])
  return reply.page(
    'groups/group',
    {
      title: errors.length > 0 ? `Error: ${group.name}` : group.name,
      section: 'Directory groups',
      status: errors.length > 0 ? 422 : 200
    },
    {
      id: group.id,
      errors,
      mayAct,
      isPart: request.headers['hx-request-type'] === 'partial',
      ...headOf(group, listed.counts.states, mayAct, timeZone),
      leftOut: leftOut.map(({ reason, name, dn, mail }) => ({
        reason: leftOutWords[reason],
        name: name ?? dn,
        mail: mail ?? ''
      })),
      ...membersView(deps, group.id, listed, mayAct, timeZone),
      csv: `/groups/${group.id}/members.csv?${queryOf({ ...view, selection: null })}`,
      selection: barOf(found)
    }
  )
}

async function readMembers({ db }: Deps, group: ListedGroup, view: GroupView, selection: number | null) {
  const counts = await countMembers(db, group.teamId, view.by, view, { selection, from: view.from })
  const open = openSections(view, counts.sections)
  const places = open.map(key => ({ key, after: view.after.get(key) ?? null }))
  const members = await listMembers(db, group.teamId, view.by, view, places, rowsInSection + 1, selection)
  return { counts, open, members, view: { ...view, open: view.open === null ? null : open, selection } }
}

type Listed = Awaited<ReturnType<typeof readMembers>>

function membersView({ config }: Deps, id: number, listed: Listed, mayAct: boolean, timeZone: string) {
  const { counts, open, members, view } = listed
  const go = linksOf(id, view, mayAct)
  const context = { view, open, go, address: linksOf(id, view, false), timeZone }
  return {
    ...filterView(view, counts, go, config.smtp !== undefined),
    sections: counts.sections.map((section, index) => sectionView(section, index, members, context)),
    found: foundInWords(counts, view),
    matching: counts.matching,
    matchingText: number(counts.matching),
    first: view.from ? go({ from: '' }) : null,
    next: counts.hasMore ? go({ from: last(counts.sections).name, open: [''] }) : null
  }
}

/** Another admin's selection, one of another group or a sent one does not count. */
export async function selectionOf({ db }: Deps, group: { id: number }, view: GroupView, adminId: number) {
  if (view.selection === null) return undefined
  const found = await findSelection(db, view.selection, { groupId: group.id, adminId })
  return found?.batchId === null ? found : undefined
}

export async function barPage(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  group: ListedGroup,
  view: GroupView
) {
  const found = await selectionOf(deps, group, view, viewerOf(request).id)
  return reply.page('groups/bar', { title: group.name }, { id: group.id, selection: barOf(found) })
}

const barOf = (found: { id: number; people: number } | undefined) => ({
  id: found?.id ?? '',
  people: found?.people ?? 0,
  shown: number(found?.people ?? 0)
})

/** An admin's buttons post the selection on the way; others get links. */
function linksOf(id: number, view: GroupView, mayAct: boolean): Go {
  return changed => {
    const entries = Object.entries(changed).flatMap(([name, value]) => [value].flat().map(each => [name, each ?? '']))
    if (mayAct) return `/groups/${id}/selections?${new URLSearchParams(entries)}`
    return `/groups/${id}?${queryOf(changedView(view, changed))}`
  }
}

function filterView(view: GroupView, { states }: MemberCounts, go: Go, hasMailServer: boolean) {
  return {
    q: view.q ?? '',
    status: view.enrollment ?? '',
    by: view.by,
    of: queryOf(view),
    isFiltered: Boolean(view.q || view.enrollment || view.delivery),
    everybody: go({ q: '', status: '', delivery: '' }),
    counts: enrollments.map(state => countView(state, states, view, go)),
    deliveries: deliveryChoices(view.delivery, { hasLeft: hasMailServer, hasKept: !hasMailServer }),
    groupings: groupings.map(value => ({
      text: value.charAt(0).toUpperCase() + value.slice(1),
      isChosen: value === view.by,
      href: go({ by: value })
    }))
  }
}

function countView(state: Enrollment, states: MemberCounts['states'], view: GroupView, go: Go) {
  const value = states[state] ?? 0
  const all = Object.values(states).reduce((sum, count) => sum + count, 0)
  const isChosen = view.enrollment === state
  const share = `${Math.round((value / Math.max(all, 1)) * 100)}% of the group`
  return {
    state,
    value,
    shown: number(value),
    share,
    ...enrollmentBadges[state],
    isChosen,
    // zeros are not shown, unless a section begins with one
    isShown: value > 0 || isChosen || ['not-invited', 'invited', 'signed-up'].includes(state),
    href: go({ status: isChosen ? '' : state })
  }
}

function foundInWords({ matching, sectionCount }: MemberCounts, { by, ...view }: GroupView): string {
  const kinds = {
    department: ['department', 'departments'],
    title: ['title', 'titles'],
    status: ['status', 'statuses']
  }
  const kind = kinds[by][sectionCount === 1 ? 0 : 1]
  if (matching === 0) return view.q || view.enrollment || view.delivery ? 'No members match' : 'No members'
  return `${peopleInWords(matching)} in ${number(sectionCount)} ${kind}`
}

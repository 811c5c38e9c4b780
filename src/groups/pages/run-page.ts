import type { FastifyReply, FastifyRequest } from 'fastify'
import { idOf } from '../../lib/id.ts'
import { includesRole } from '../../lib/role.ts'
import { counted, number, peopleInWords } from '../../lib/words.ts'
import { type ChangeKind, changeWords, receiptInWords, runBadges, undoDays } from '../../sync/run.ts'
import { findRun, type ListedChange, listChanges, listRuns, type ShownRun } from '../../sync/store.ts'
import { viewerOf } from '../../web/access.ts'
import { durationInWords, showTime } from '../../web/dates.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { initialsOf } from '../../web/pages.ts'
import { groupOf } from './group-page.ts'

const dayMilliseconds = 86_400_000

interface RunQuery {
  kind?: string
  after?: string
  refresh?: string
}

interface RunRequest {
  Params: { id: string; run: string }
  Querystring: RunQuery
}

export async function runPage(deps: Deps, request: FastifyRequest<RunRequest>, reply: FastifyReply) {
  const { db } = deps
  const group = await groupOf(deps, request)
  const run = await findRun(db, group.id, Number(request.params.run))
  if (!run) throw new Refusal(404, 'There is no such sync.')
  const { query } = request
  const { role, timeZone } = viewerOf(request)
  const mayAct = includesRole(role, 'admin')
  const base = `/groups/${group.id}/sync-runs/${run.id}`
  const isRunning = run.state === 'running'
  const poll = isRunning ? `${base}?refresh=running` : null
  const read = run.read > 0 ? peopleInWords(run.read) : ''
  if (query.refresh === 'running' && request.headers['hx-request']) return waitPart(reply, { poll, read })
  const [changes, runs] = await Promise.all([changesView(deps, run, query, base), listRuns(db, group.id, 20)])
  return reply.page(
    'groups/run',
    {
      title: `Sync of ${group.name}`,
      section: 'Directory groups',
      refresh: isRunning ? { seconds: 5, url: `${base}?refresh=1` } : null,
      mainAttributes: [['data-sync', run.state]]
    },
    {
      id: group.id,
      name: group.name,
      base,
      ...runView(run, mayAct, timeZone),
      poll,
      read,
      again: mayAct && run.state === 'failed' ? `/groups/${group.id}/sync-runs` : null,
      ...changes,
      runs: runs.map(each => ({ ...runLink(group.id, each, timeZone), isThis: each.id === run.id }))
    }
  )
}

const runLink = (groupId: number, run: ShownRun, timeZone: string) => ({
  href: `/groups/${groupId}/sync-runs/${run.id}`,
  badge: runBadges[run.state],
  when: showTime(run.createdAt, timeZone),
  text: headingOf(run)
})

/** The changes of one kind: the kind that was asked for, else the first that there are any of. */
async function changesView({ db }: Deps, run: ShownRun, query: RunQuery, base: string) {
  const kinds = kindsOf(run)
  const chosen =
    kinds.find(({ kind }) => kind === query.kind)?.kind ?? kinds.find(({ value }) => value > 0)?.kind ?? 'added'
  const after = idOf(query.after) ?? 0
  const page = pageOf(await listChanges(db, run.id, chosen, rowsToRead, after), change => change.id)
  return {
    hasDiff: kinds.some(({ value }) => value > 0),
    hasDetails: page.rows.some(({ detail }) => detail),
    kinds: kinds.map(each => kindView(each, chosen, base)),
    listTitle: changeWords[chosen],
    rows: page.rows.map(changeView),
    ...linksOf(page, after > 0, after => hrefOf(base, { kind: chosen, after }))
  }
}

const runView = (run: ShownRun, mayAct: boolean, timeZone: string) => ({
  heading: headingOf(run),
  badge: runBadges[run.state],
  facts: factsOf(run, timeZone),
  receipt: run.receipt ? `${receiptInWords(run.receipt)}.` : '',
  strategy: run.receipt?.strategy ?? '',
  trouble: troubleOf(run),
  decision: mayAct && run.state === 'parked' ? decisionOf(run) : null,
  undo: mayAct && canUndo(run) ? run.removed : 0,
  undone: run.undoneAt ? `Put back by ${run.undoerName ?? 'someone'} on ${showTime(run.undoneAt, timeZone).text}.` : ''
})

/** When the run is over, the whole page is rendered again. */
function waitPart(reply: FastifyReply, view: { poll: string | null; read: string }) {
  if (view.poll === null) reply.header('hx-refresh', 'true')
  return reply.page('groups/run-wait', { title: 'Sync' }, { ...view, poll: view.poll ?? '' })
}

interface Kind {
  kind: ChangeKind
  value: number
}

const kindView = ({ kind, value }: Kind, chosen: ChangeKind, base: string) => ({
  kind,
  value,
  shown: number(value),
  text: changeWords[kind],
  isChosen: kind === chosen,
  isShown: value > 0 || kind === 'added' || kind === 'removed',
  href: hrefOf(base, { kind })
})

function kindsOf(run: ShownRun): Kind[] {
  const isOpen = run.state === 'parked'
  return [
    { kind: 'parked', value: isOpen ? run.parked : 0 },
    { kind: 'deactivation-parked', value: isOpen ? run.deactivationsParked : 0 },
    { kind: 'added', value: run.added },
    { kind: 'removed', value: run.removed },
    { kind: 'changed', value: run.changed },
    { kind: 'address', value: run.addresses },
    { kind: 'deactivated', value: run.deactivated }
  ]
}

const some = (value: number, words: string) => (value > 0 ? [`${number(value)} ${words}`] : [])

function headingOf(run: ShownRun): string {
  if (run.state === 'running') return 'Syncing this group'
  if (run.state === 'failed') return 'Failed: nothing was changed'
  const done = [
    ...some(run.added, 'added'),
    ...some(run.removed, 'removed'),
    ...some(run.changed, 'changed'),
    ...some(run.addresses, 'with another address')
  ]
  const waits = run.state === 'parked' ? some(run.parked + run.deactivationsParked, 'wait for approval') : []
  return [...done, ...waits].join(', ') || 'No changes'
}

function factsOf(run: ShownRun, timeZone: string) {
  const causes = { start: 'First sync', asked: 'Requested', schedule: 'By schedule' }
  const facts = [
    { name: 'Why', value: run.starterName ? `${causes[run.cause]} by ${run.starterName}` : causes[run.cause] },
    { name: 'Started', value: showTime(run.createdAt, timeZone).text }
  ]
  if (run.finishedAt)
    facts.push({ name: 'Took', value: durationInWords(run.finishedAt.getTime() - run.createdAt.getTime()) })
  if (run.approvedAt)
    facts.push({
      name: 'Approved',
      value: `${showTime(run.approvedAt, timeZone).text}, ${run.approverName ?? 'a former user'}`
    })
  return facts
}

function troubleOf({ state, reason }: ShownRun) {
  if (!reason) return null
  if (state === 'failed') return { tone: 'bad', icon: 'alert', title: 'This sync changed nothing.', text: reason }
  if (state === 'parked')
    return { tone: 'warn', icon: 'pause', title: 'Some changes need your approval.', text: reason }
  return { tone: 'mute', icon: 'check', title: 'Nothing waits for approval now.', text: reason }
}

function decisionOf({ parked, deactivationsParked }: ShownRun) {
  const parts = [
    ...some(parked, parked === 1 ? 'leaves the team' : 'leave the team'),
    ...some(deactivationsParked, deactivationsParked === 1 ? 'is deactivated' : 'are deactivated')
  ]
  const what = deactivationsParked === 0 ? 'removal' : parked === 0 ? 'deactivation' : 'change'
  const back = parked > 0 ? ` People removed from the team can be put back for ${undoDays} days.` : ''
  const text = `If you approve, ${parts.join(' and ')}.${back} Until then everyone stays, and the next sync checks again.`
  return { button: `Approve ${counted(parked + deactivationsParked, what)}`, text }
}

function canUndo({ state, removed, undoneAt, approvedAt, finishedAt }: ShownRun): boolean {
  const at = approvedAt ?? finishedAt
  const isRecent = at !== null && Date.now() - at.getTime() < undoDays * dayMilliseconds
  return state !== 'running' && removed > 0 && undoneAt === null && isRecent
}

function changeView({ personId, email, name: known, detail }: ListedChange) {
  const name = known ?? email
  return { name, initials: initialsOf(name), email, href: `/people/${personId}`, detail: detail ?? '' }
}

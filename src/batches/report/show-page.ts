import type { FastifyReply, FastifyRequest } from 'fastify'
import { includesRole } from '../../lib/role.ts'
import { limitsInWords } from '../../mail/limits-page.ts'
import { readPacing } from '../../mail/queue/gate-store.ts'
import { readLimits } from '../../mail/queue/limits-store.ts'
import { serverOf } from '../../mail/server-limits.ts'
import { readPause } from '../../mail/store.ts'
import { organizationOf } from '../../organization/store.ts'
import { teamsOfBatch } from '../../teams/pending-store.ts'
import { type Viewer, viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import type { IdParams } from '../../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { isBatchState } from '../batch.ts'
import { type BatchRow, findBatch } from '../store.ts'
import { actionsFor } from './actions.ts'
import { type BatchFilter, type BatchQuery, lineOf, readFilter } from './batch-filter.ts'
import {
  type BatchWithNames,
  barOf,
  deliveryCounts,
  factsOf,
  headingOf,
  progressOf,
  verdictFilters
} from './batch-page.ts'
import { shownLine } from './lines-page.ts'
import { problemsView, type Typed } from './problems-page.ts'
import { rateOf, reasonsOfWaiting } from './progress-store.ts'
import { correctedOf, correctionsOf, listLines, restOf } from './report-store.ts'
import { sendingOf } from './sending-page.ts'
import { leftOf, outboxOf, verdictOf } from './sent-page.ts'

const refreshSeconds = 5

export async function showBatch(
  deps: Deps,
  request: FastifyRequest<{ Params: IdParams; Querystring: BatchQuery }>,
  reply: FastifyReply,
  typed?: Typed
): Promise<FastifyReply> {
  const batch = await findBatch(deps.db, Number(request.params.id))
  if (!batch) throw new Refusal(404, 'There is no such batch.')
  const { query } = request
  // a region that was rendered in another state refreshes the page around it as well
  if (isBatchState(query.refresh) && query.refresh !== batch.state) reply.header('hx-refresh', 'true')
  const view = await batchView(deps, batch, query, viewerOf(request), typed)
  const refresh = hrefOf(view.base, { ...readFilter(query), refresh: '1' })
  return reply.page(
    'batches/batch',
    {
      ...titleOf(batch, view.heading, view.errors.length > 0),
      refresh: view.isRunning ? { seconds: refreshSeconds, url: refresh } : null,
      mainAttributes: [['data-batch-state', batch.state]]
    },
    { isPart: request.headers['hx-request-type'] === 'partial', ...view }
  )
}

async function batchView(
  deps: Deps,
  batch: BatchWithNames,
  query: BatchQuery,
  viewer: Viewer,
  typed: Typed | undefined
) {
  const { db, config } = deps
  const mayAct = includesRole(viewer.role, 'admin')
  const hasMailServer = config.smtp !== undefined
  const filter = readFilter(query)
  const base = `/batches/${batch.id}`
  const facts = factsOf(batch, viewer.timeZone)
  const corrected = await correctedOf(db, batch.id)
  const [lines, problems, corrections, sending, rest, teams] = await Promise.all([
    linesView(deps, batch, filter, query, { mayAct, timeZone: viewer.timeZone, base }),
    problemsView(db, { batch, filter, query, corrected, mayAct, base, typed }),
    correctionsOf(db, batch.id),
    batch.state === 'sending' ? sendingView(deps, batch) : null,
    batch.state === 'cancelled' ? restOf(db, batch.id) : undefined,
    teamsOfBatch(db, batch.id)
  ])
  return {
    base,
    heading: headingOf(batch),
    ...facts,
    errors: errorsOf(typed),
    problems,
    ...lines,
    state: batch.state,
    ...relatedTo(batch, teams, corrections, rest),
    ...figuresOf(batch, filter, base, corrected),
    sending,
    mayInvite: mayAct,
    ...actionsFor(batch, mayAct, { hasMailServer, isRestSent: rest !== undefined || lines.keptDays !== null }),
    outbox: outboxOf(batch, hasMailServer, mayAct),
    csv: hrefOf(`${base}/lines.csv`, { ...filter }),
    poll: facts.isRunning ? hrefOf(base, { ...filter, refresh: batch.state }) : null
  }
}

const figuresOf = (
  batch: BatchRow,
  filter: BatchFilter,
  base: string,
  corrected: Awaited<ReturnType<typeof correctedOf>>
) => ({
  verdicts: verdictFilters(batch, filter.verdict, base, corrected),
  deliveries: deliveryCounts(batch, filter.delivery, base),
  bar: barOf(batch),
  progress: progressOf(batch)
})

const titleOf = ({ source }: BatchRow, heading: string, isWrong: boolean) => ({
  title: isWrong ? `Error: ${heading}` : heading,
  section: sections[source],
  status: isWrong ? 422 : 200
})

const relatedTo = (
  batch: BatchRow,
  teams: Awaited<ReturnType<typeof teamsOfBatch>>,
  corrections: Awaited<ReturnType<typeof correctionsOf>>,
  rest: number | undefined
) => ({
  teams: teams.map(team => ({ href: `/teams/${team.id}`, name: team.name })),
  again: againFor(batch),
  corrects: batch.correctsBatchId ? { href: `/batches/${batch.correctsBatchId}` } : null,
  corrections: corrections.map(each => ({ href: `/batches/${each.id}`, lines: each.lines })),
  rest: rest ? { href: `/batches/${rest}`, count: leftOf(batch).unsent } : null,
  restOf: batch.restOfBatchId ? `/batches/${batch.restOfBatchId}` : null
})

const errorsOf = (typed: Typed | undefined) =>
  [...(typed?.errors ?? [])].map(([line, text]) => ({ href: `#address-${line}`, text: `Line ${line}: ${text}` }))

const sections = {
  typed: 'Invite',
  file: 'Bulk invite',
  correction: 'Bulk invite',
  group: 'Directory groups'
} satisfies Record<BatchRow['source'], string>

function againFor({ source, groupId }: BatchRow) {
  if (source === 'file') return { href: '/bulk', icon: 'upload', text: 'Upload another file' }
  if (source === 'group' && groupId) return { href: `/groups/${groupId}`, icon: 'groups', text: 'Back to the group' }
  return { href: '/invite', icon: 'send', text: 'Invite more people' }
}

async function sendingView({ db, config: { smtp } }: Deps, batch: BatchRow) {
  const [rate, pause, waiting, pacing, known] = await Promise.all([
    rateOf(db, batch.id),
    readPause(db),
    reasonsOfWaiting(db, batch.id),
    readPacing(db),
    smtp && readLimits(db, serverOf(smtp))
  ])
  const left = batch.mailsQueued + batch.mailsSending + batch.mailsDeferred
  const limits = smtp ? limitsInWords(smtp, known, left) : []
  return sendingOf(batch, { rate, pause, waiting, pacing, limits })
}

interface View {
  mayAct: boolean
  timeZone: string
  base: string
}

async function linesView({ db }: Deps, batch: BatchRow, filter: BatchFilter, query: BatchQuery, view: View) {
  const { verdict, delivery, q } = filter
  const after = lineOf(query.after) ?? 0
  const lines = await listLines(db, batch.id, { verdicts: verdict && [verdict], delivery, q }, rowsToRead, after)
  const page = pageOf(lines, line => line.line)
  return {
    rows: page.rows.map(line => shownLine(line, batch.state, view.mayAct, view.timeZone)),
    q: q ?? '',
    verdict: verdict ?? '',
    delivery: delivery ?? '',
    filterName: verdict ? verdictOf(batch, verdict).name : '',
    ...linksOf(page, after > 0, after => hrefOf(view.base, { ...filter, after })),
    keptDays: lines.length === 0 ? await daysOfForgotten(db, batch) : null
  }
}

/** After how many days the lines of this batch were deleted, if they were. */
async function daysOfForgotten(db: Deps['db'], batch: BatchRow): Promise<number | null> {
  const { lineDays } = await organizationOf(db)
  const isOld = batch.finishedAt !== null && Date.now() - batch.finishedAt.getTime() > lineDays * 86_400_000
  return isOld && batch.judged > 0 ? lineDays : null
}

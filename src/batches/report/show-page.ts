import type { FastifyReply, FastifyRequest } from 'fastify'
import { includesRole } from '../../lib/role.ts'
import { limitsInWords } from '../../mail/limits-page.ts'
import { readPacing } from '../../mail/queue/gate-store.ts'
import { readLimits } from '../../mail/queue/limits-store.ts'
import { serverOf } from '../../mail/server-limits.ts'
import { readPause } from '../../mail/store.ts'
import { organizationOf } from '../../organization/store.ts'
import { teamsOfBatch } from '../../teams/pending-store.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { isBatchState } from '../batch.ts'
import { type BatchRow, findBatch } from '../store.ts'
import { actionsFor } from './actions.ts'
import { type BatchFilter, type BatchQuery, lineOf, readFilter } from './batch-filter.ts'
import { barOf, deliveryCounts, factsOf, headingOf, progressOf, verdictFilters } from './batch-page.ts'
import { shownLine } from './lines-page.ts'
import { problemsView, type Typed } from './problems-page.ts'
import { rateOf, reasonsOfWaiting } from './progress-store.ts'
import { correctedOf, correctionsOf, listLines, restOf } from './report-store.ts'
import { sendingOf } from './sending-page.ts'
import { leftOf, outboxOf, verdictOf } from './sent-page.ts'

const refreshSeconds = 5

export async function showBatch(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  typed?: Typed
): Promise<FastifyReply> {
  const id = Number((request.params as { id: string }).id)
  const batch = await findBatch(deps.db, id)
  if (!batch) throw new Refusal(404, 'There is no such batch.')
  const { timeZone, role } = viewerOf(request)
  const mayAct = includesRole(role, 'admin')
  const query = request.query as BatchQuery
  const filter = readFilter(query)
  const base = `/batches/${id}`
  // a region that was made in another state refreshes the page around it as well
  if (isBatchState(query.refresh) && query.refresh !== batch.state) reply.header('hx-refresh', 'true')
  const facts = factsOf(batch, timeZone)
  const hasMailServer = deps.config.smtp !== undefined
  const corrected = await correctedOf(deps.db, id)
  const [lines, problems, corrections, sending, rest, teams] = await Promise.all([
    linesView(deps, batch, filter, query, { mayAct, timeZone, base }),
    problemsView(deps.db, { batch, filter, query, corrected, mayAct, base, typed }),
    correctionsOf(deps.db, id),
    batch.state === 'sending' ? sendingView(deps, batch) : null,
    batch.state === 'cancelled' ? restOf(deps.db, id) : undefined,
    teamsOfBatch(deps.db, id)
  ])
  const errors = errorsOf(typed)
  const heading = headingOf(batch)
  return reply.page(
    'batches/batch',
    {
      ...titleOf(batch, heading, errors.length > 0),
      refresh: facts.isRunning ? { seconds: refreshSeconds, url: hrefOf(base, { ...filter, refresh: '1' }) } : null,
      mainAttributes: [['data-batch-state', batch.state]]
    },
    {
      isPart: request.headers['hx-request-type'] === 'partial',
      base,
      heading,
      ...facts,
      errors,
      problems,
      ...lines,
      state: batch.state,
      ...relatedTo(batch, teams, corrections),
      verdicts: verdictFilters(batch, filter.verdict, base, corrected),
      deliveries: deliveryCounts(batch, filter.delivery, base),
      bar: barOf(batch),
      progress: progressOf(batch),
      sending,
      mayInvite: mayAct,
      ...actionsFor(batch, mayAct, { hasMailServer, isRestSent: rest !== undefined || lines.keptDays !== null }),
      rest: rest ? { href: `/batches/${rest}`, count: leftOf(batch).unsent } : null,
      outbox: outboxOf(batch, hasMailServer, mayAct),
      csv: hrefOf(`${base}/lines.csv`, { ...filter }),
      poll: facts.isRunning ? hrefOf(base, { ...filter, refresh: batch.state }) : null
    }
  )
}

const titleOf = ({ source }: BatchRow, heading: string, isWrong: boolean) => ({
  title: isWrong ? `Error: ${heading}` : heading,
  section: sections[source],
  status: isWrong ? 422 : 200
})

/** Where the page leads from here. */
const relatedTo = (
  batch: BatchRow,
  teams: Awaited<ReturnType<typeof teamsOfBatch>>,
  corrections: Awaited<ReturnType<typeof correctionsOf>>
) => ({
  teams: teams.map(team => ({ href: `/teams/${team.id}`, name: team.name })),
  again: againFor(batch),
  corrects: batch.correctsBatchId ? { href: `/batches/${batch.correctsBatchId}` } : null,
  corrections: corrections.map(each => ({ href: `/batches/${each.id}`, lines: each.lines })),
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

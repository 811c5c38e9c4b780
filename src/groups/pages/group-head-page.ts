import type { FastifyReply } from 'fastify'
import type { SyncReceipt } from '../../db/schema.ts'
import { counted, number, peopleInWords } from '../../lib/words.ts'
import { emptyInWords, membersInWords } from '../../sync/left-out.ts'
import { type RunState, runBadges } from '../../sync/run.ts'
import type { ListedGroup } from '../../sync/store.ts'
import { showTime } from '../../web/dates.ts'
import type { MemberCounts } from '../members/store.ts'

const kinds = { 'distribution-list': 'Distribution list', 'security-group': 'Security group', group: 'Group' }

export const kindWords = (kind: ListedGroup['kind']) => kinds[kind]

export function headOf(group: ListedGroup, states: MemberCounts['states'], mayAct: boolean, timeZone: string) {
  const notInvited = states['not-invited'] ?? 0
  const all = Object.values(states).reduce((sum, count) => sum + count, 0)
  return {
    name: group.name,
    mail: group.mail,
    dn: group.dn,
    description: group.description,
    kind: kindWords(group.kind),
    memberText: counted(all, 'member'),
    synced: group.lastGoodAt ? showTime(group.lastGoodAt, timeZone) : null,
    members: group.receipt && membersInWords(group.receipt),
    leftOutTotal: withEntries(group.receipt),
    leftOutHref: withEntries(group.receipt) > 0 ? '#left-t' : null,
    emptyText: group.receipt ? emptyInWords(group.receipt) : '',
    teamHref: `/teams/${group.teamId}`,
    lastRunHref: group.lastRun ? `/groups/${group.id}/sync-runs/${group.lastRun.id}` : null,
    inviteText:
      mayAct && notInvited > 0 ? (notInvited === 1 ? 'Invite 1 person' : `Invite ${number(notInvited)} people`) : null,
    run: runView(group, timeZone)
  }
}

/** People left out are listed with their entries; the other reasons have no names. */
const withEntries = (receipt: SyncReceipt | null) =>
  receipt ? receipt.noMail + receipt.malformed + receipt.doubled + receipt.taken : 0

/** The callout about a run, which polls; when the run is over the page reloads. */
export function runPart(reply: FastifyReply, group: ListedGroup, mayAct: boolean, timeZone: string) {
  const run = runView(group, timeZone)
  if (run?.state !== 'running') reply.header('hx-refresh', 'true')
  return reply.page('groups/run-part', { title: group.name }, { run, mayAct })
}

function runView({ id, lastRun, lastGoodAt }: ListedGroup, timeZone: string) {
  if (!lastRun || lastRun.state === 'done') return null
  const at = showTime(lastRun.finishedAt ?? lastRun.createdAt, timeZone)
  const good = lastGoodAt
    ? `This page shows the group as of ${showTime(lastGoodAt, timeZone).text}.`
    : 'It has never been read completely.'
  const parked = peopleInWords(lastRun.parked)
  const looks: Record<Exclude<RunState, 'done'>, { tone: string; icon: string; title: string; text: string }> = {
    running: {
      tone: 'info',
      icon: 'refresh',
      title: 'Syncing this group',
      text: `${lastRun.read > 0 ? `${peopleInWords(lastRun.read)} so far. ` : ''}Nothing changes until Rollcall has read all of it.`
    },
    failed: {
      tone: 'bad',
      icon: 'alert',
      title: 'The last sync failed and changed nothing',
      text: [lastRun.reason?.replace(/([^.])$/, '$1.'), good].filter(Boolean).join(' ')
    },
    parked: {
      tone: 'warn',
      icon: 'pause',
      title: `${parked} would be removed from the team`,
      text: lastRun.reason ?? 'That is more than Rollcall removes without approval.'
    }
  }
  const state = lastRun.state
  return {
    state,
    at,
    badge: runBadges[state],
    ...looks[state],
    href: `/groups/${id}/sync-runs/${lastRun.id}`,
    poll: state === 'running' ? `/groups/${id}?refresh=running` : null
  }
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import { readSettingsRow } from '../directory/settings-store.ts'
import { idOf } from '../lib/id.ts'
import { includesRole } from '../lib/role.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { enrollmentBadges } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { hrefOf, linksOf, pageOf, textOf } from '../web/list.ts'
import { initialsOf } from '../web/pages.ts'
import { mayLetGo } from './approve-leavers.ts'
import { type ShownLeaver, showLeavers } from './leavers-store.ts'
import { leaversToLetGo } from './to-let-go.ts'

export async function leaversPage({ db }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const { role, timeZone } = viewerOf(request)
  const after = idOf(textOf(request.query, 'after')) ?? 0
  const [settings, waiting] = await Promise.all([readSettingsRow(db), leaversToLetGo(db)])
  const mine = waiting.filter(leaver => mayLetGo(role, leaver))
  const page = pageOf(
    waiting.map(({ id }) => id).filter(id => id > after),
    id => id
  )
  const shown = await showLeavers(db, page.rows)
  const others = waiting.length - mine.length
  return reply.page(
    'leavers/index',
    { title: 'People who have left', section: 'Directory groups' },
    {
      count: waiting.length,
      heading: `${peopleInWords(waiting.length)} left the directory but can still use Rollcall`,
      isByItself: settings?.deactivateLeavers === true,
      maySet: role === 'owner',
      button: includesRole(role, 'admin') && mine.length > 0 ? `Deactivate ${peopleInWords(mine.length)}` : null,
      others: includesRole(role, 'admin') && others > 0 ? number(others) : null,
      until: latest(mine),
      rows: shown.map(leaver => leaverView(leaver, timeZone)),
      ...linksOf(page, after > 0, after => hrefOf('/groups/leavers', { after }))
    }
  )
}

const latest = (leavers: { left: string }[]) =>
  leavers.reduce((newest, { left }) => (BigInt(left) > newest ? BigInt(left) : newest), 0n).toString()

function leaverView({ id, email, name: known, role, enrollment, disabledAt, goneAt }: ShownLeaver, timeZone: string) {
  const name = known ?? email
  const since = goneAt ?? disabledAt
  // a sync may have found them again a moment ago
  const left = since
    ? `${goneAt ? 'Missing' : 'Disabled'} since ${showDay(since, timeZone).text}`
    : 'Back in the directory'
  return {
    name,
    initials: initialsOf(name),
    email,
    href: `/people/${id}`,
    left,
    badge: enrollmentBadges[enrollment],
    role: role === 'member' ? null : role
  }
}

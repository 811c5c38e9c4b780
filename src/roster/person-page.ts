import type { FastifyReply, FastifyRequest } from 'fastify'
import { recentEvents } from '../audit/store.ts'
import { stateOf } from '../invitations/invitation.ts'
import { countOpenOf } from '../invitations/inviter-store.ts'
import { findInvitation, type InvitationRow, invitationsOf } from '../invitations/store.ts'
import { first } from '../lib/ends.ts'
import { includesRole, type Role, roleNames } from '../lib/role.ts'
import { deliveryBadge } from '../mail/delivery-badges.ts'
import { findSuppression } from '../mail/store.ts'
import { accountsView } from '../me/accounts-page.ts'
import { enrollmentBadges } from '../people/person.ts'
import { findPerson } from '../people/store.ts'
import { teamsOfBatch } from '../teams/pending-store.ts'
import { type MembershipOf, membershipsOf } from '../teams/store.ts'
import { reasonInWords } from '../teams/team.ts'
import { type Viewer, viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import type { IdParams } from '../web/forms.ts'
import { initialsOf } from '../web/pages.ts'
import { accessCard } from './access-card-page.ts'
import { entryCard } from './entry-card-page.ts'
import { actionsOf } from './person-actions.ts'
import { deliveriesOf } from './person-store.ts'
import { storyOf } from './story.ts'

type Person = NonNullable<Awaited<ReturnType<typeof findPerson>>>

export const noPerson = () => new Refusal(404, 'There is no such person.')

export async function personPage(
  { db }: Deps,
  request: FastifyRequest<{ Params: IdParams }>,
  reply: FastifyReply,
  errors: Record<string, string> = {}
) {
  const viewer = viewerOf(request)
  const id = Number(request.params.id)
  const person = await knownPerson(db, id)
  const [invitations, mails, events, suppression, memberships, entry, access] = await Promise.all([
    invitationsOf(db, id),
    deliveriesOf(db, id),
    recentEvents(db, 100, id),
    findSuppression(db, person.addressKey),
    membershipsOf(db, id),
    entryCard(db, person, viewer),
    accessCard(db, person, viewer)
  ])
  const newest = invitations.find(({ id }) => id === person.invitationId)
  return reply.page(
    'roster/person',
    { title: nameOf(person), section: 'People', status: Object.keys(errors).length > 0 ? 422 : 200 },
    {
      ...headView(person),
      facts: factsOf(person, newest, viewer.timeZone),
      suppression: suppression ? suppressionText(suppression.cause, suppression.serverReply) : null,
      actions: includesRole(viewer.role, 'admin')
        ? actionsOf(person, newest, viewer, { isSuppressed: Boolean(suppression), sent: await sentBy(db, person) })
        : [],
      ...roleChoice(person, newest, viewer.role),
      errors,
      pending: await pendingTeams(db, person, memberships),
      entry,
      access,
      ...(await providerAccounts(db, id, viewer)),
      teams: teamsOf(memberships, viewer.timeZone),
      story: storyOf(invitations, mails, events, viewer.timeZone)
    }
  )
}

async function knownPerson(db: Deps['db'], id: number): Promise<Person> {
  const person = await findPerson(db, id)
  if (!person) throw noPerson()
  return person
}

async function providerAccounts(db: Deps['db'], id: number, { role, timeZone }: Viewer) {
  const accounts = await accountsView(db, id, timeZone)
  return { accounts, separateAt: role === 'owner' ? `/people/${id}/provider-account/removal` : null }
}

const nameOf = (person: Person) => person.name ?? person.email

const headView = (person: Person) => ({
  id: person.id,
  name: nameOf(person),
  initials: initialsOf(nameOf(person)),
  email: person.email,
  enrollment: person.enrollment,
  enrollmentBadge: enrollmentBadges[person.enrollment],
  delivery: person.delivery ?? '',
  deliveryBadge: deliveryBadge({ delivery: person.deliveryState, isKept: person.deliveryIsKept })
})

async function sentBy(db: Deps['db'], { id, enrollment }: Person) {
  return enrollment === 'signed-up' ? countOpenOf(db, [id]) : { typed: 0, listed: 0 }
}

function suppressionText(cause: 'bounced' | 'opted-out', reply: string | null): string {
  return cause === 'bounced'
    ? `This address bounced: ${reply ?? 'the mail server gave no reason'}`
    : 'This person opted out of invitations.'
}

function factsOf(person: Person, newest: InvitationRow | undefined, timeZone: string) {
  const facts = [{ name: 'Role', value: roleInWords(person, newest) }]
  if (person.signedUpAt) facts.push({ name: 'Signed up', value: showTime(person.signedUpAt, timeZone).text })
  if (person.deactivatedAt) facts.push({ name: 'Deactivated', value: showTime(person.deactivatedAt, timeZone).text })
  facts.push(...directoryFacts(person, timeZone))
  const state = newest && stateOf(newest)
  if (newest && (state === 'open' || state === 'expired'))
    facts.push({
      name: state === 'open' ? 'Invitation ends' : 'Invitation ended',
      value: showTime(newest.expiresAt, timeZone).text
    })
  if (newest?.requestedAt) facts.push({ name: 'Requested another', value: showTime(newest.requestedAt, timeZone).text })
  return facts
}

/** Only member once the owner who chose the role cannot give roles. */
function roleInWords(person: Person, newest: InvitationRow | undefined): string {
  if (person.enrollment !== 'invited' || !newest) return roleNames[person.role]
  if (newest.role === 'member' || newest.isGrantValid) return roleNames[newest.role]
  return `${roleNames.member}: ${roleNames[newest.role].toLowerCase()} was chosen by a user who is not an owner now`
}

function directoryFacts(person: Person, timeZone: string) {
  const { department, title, goneFromDirectoryAt: gone, disabledInDirectoryAt: disabled } = person
  const left = gone ?? disabled
  return [
    ...(title ? [{ name: 'Title', value: title }] : []),
    ...(department ? [{ name: 'Department', value: department }] : []),
    ...(left
      ? [
          {
            name: gone ? 'Missing from the directory' : 'Disabled in the directory',
            value: showTime(left, timeZone).text
          }
        ]
      : [])
  ]
}

/** The teams that an open invitation names, besides those that the person is in. */
async function pendingTeams(db: Deps['db'], person: Person, memberships: MembershipOf[]) {
  if (person.enrollment !== 'invited' || person.invitationId === null) return []
  const batchId = (await findInvitation(db, person.invitationId))?.batchId ?? null
  const named = batchId === null ? [] : await teamsOfBatch(db, batchId)
  return named
    .filter(({ id }) => memberships.every(({ teamId }) => teamId !== id))
    .map(({ id, name }) => ({ href: `/teams/${id}`, name }))
}

function teamsOf(memberships: MembershipOf[], timeZone: string) {
  const byTeam = Map.groupBy(memberships, ({ teamId }) => teamId)
  return [...byTeam].map(([teamId, reasons]) => ({
    href: `/teams/${teamId}`,
    name: first(reasons).team,
    reasons: reasons.map(reason => ({ text: reasonInWords(reason), since: showTime(reason.since, timeZone) }))
  }))
}

/** Only owners give roles, to users and to people with an open invitation. */
function roleChoice(person: Person, newest: InvitationRow | undefined, viewerRole: Role) {
  const isInvited = person.enrollment === 'invited'
  const mayChoose = viewerRole === 'owner' && (isInvited || person.enrollment === 'signed-up')
  return {
    role: isInvited && newest ? newest.role : person.role,
    roles: mayChoose ? Object.entries(roleNames) : [],
    roleHint: isInvited ? 'A higher role sends a new email with a new link.' : 'Changing it signs them out.'
  }
}

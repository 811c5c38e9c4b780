import type { FastifyReply, FastifyRequest } from 'fastify'
import { idOf } from '../../lib/id.ts'
import { counted, number, peopleInWords } from '../../lib/words.ts'
import { listLeftOut } from '../../sync/store.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import type { IdParams } from '../../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { initialsOf } from '../../web/pages.ts'
import { findSelection } from '../members/selection-store.ts'
import { readView } from '../members/view.ts'
import { groupOf } from '../pages/group-page.ts'
import { isOutcome, type Outcome, outcomes, outcomeWords } from './review.ts'
import { countOutcomes, listReviewed, type Reviewed } from './review-store.ts'

interface ReviewQuery {
  selection?: string
  show?: string
  after?: string
}

type ReviewRequest = FastifyRequest<{ Params: IdParams; Querystring: ReviewQuery }>

export async function reviewPage(deps: Deps, request: ReviewRequest, reply: FastifyReply) {
  const { db } = deps
  const group = await groupOf(deps, request)
  const { query } = request
  const id = readView(query).selection
  const selection =
    id === null ? undefined : await findSelection(db, id, { groupId: group.id, adminId: viewerOf(request).id })
  if (!selection) throw new Refusal(404, 'There is no such selection. Select again on the page of the group.')
  if (selection.batchId !== null) return reply.redirect(`/batches/${selection.batchId}`, 303)
  const base = `/groups/${group.id}/review`
  const [{ counts, chosen, page, after }, leftOut] = await Promise.all([
    readReview(db, selection.id, group.teamId, query),
    listLeftOut(db, group.id, 1)
  ])
  const mails = counts.invite ?? 0
  return reply.page(
    'groups/review',
    { title: `Review: ${group.name}`, section: 'Directory groups' },
    {
      id: group.id,
      name: group.name,
      selection: selection.id,
      selectedText: peopleInWords(selection.people),
      heading: headingOf(mails),
      sendText: `Send ${counted(mails, 'invitation')}`,
      mails,
      change: `/groups/${group.id}?selection=${selection.id}`,
      hasLeftOut: leftOut.length > 0,
      outcomes: outcomes.map(name =>
        outcomeView(name, counts[name] ?? 0, chosen, hrefOf(base, { selection: selection.id, show: name }))
      ),
      listTitle: outcomeWords[chosen].name,
      rows: page.rows.map(rowView),
      ...linksOf(page, after !== null, after => hrefOf(base, { selection: selection.id, show: chosen, after }))
    }
  )
}

/** If no one gets an email, the reasons are what the admin wants to see. */
async function readReview(db: Deps['db'], selectionId: number, teamId: number, { show, after: from }: ReviewQuery) {
  const asked: Outcome = isOutcome(show) ? show : 'invite'
  const after = idOf(from) ?? null
  const list = (outcome: Outcome) => listReviewed(db, selectionId, teamId, outcome, rowsToRead, after)
  const [counts, found] = await Promise.all([countOutcomes(db, selectionId, teamId), list(asked)])
  const isEmpty = show === undefined && (counts.invite ?? 0) === 0
  const other = isEmpty ? outcomes.find(name => (counts[name] ?? 0) > 0) : undefined
  const page = pageOf(other ? await list(other) : found, person => person.id)
  return { counts, chosen: other ?? asked, page, after }
}

const headingOf = (mails: number) =>
  mails === 0 ? 'No invitations to send' : `${peopleInWords(mails)} ${mails === 1 ? 'gets' : 'get'} an invitation`

function outcomeView(name: Outcome, value: number, chosen: Outcome, href: string) {
  const isChosen = chosen === name
  return {
    state: name,
    value,
    shown: number(value),
    ...outcomeWords[name],
    isChosen,
    isShown: value > 0 || name === 'invite',
    href
  }
}

function rowView({ id, email, department, title, ...person }: Reviewed) {
  const name = person.name ?? email
  return {
    name,
    initials: initialsOf(name),
    email,
    href: `/people/${id}`,
    outcome: person.outcome,
    fact: [title, department].filter(Boolean).join(', ')
  }
}

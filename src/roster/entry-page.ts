import type { FastifyReply, FastifyRequest } from 'fastify'
import { directoryOf } from '../directory/settings.ts'
import { mayDecide } from '../entries/change-entry.ts'
import { type Directory, type DirectoryPerson, DirectoryProblem } from '../ldap/directory.ts'
import { findPerson } from '../people/store.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import type { IdParams } from '../web/forms.ts'
import type { EntryAct, Person } from './entry-card-page.ts'
import { noPerson } from './person-page.ts'

/** The directory now: the bound entry, and those with an address. */
type EntryRequest = FastifyRequest<{ Params: IdParams; Querystring: { q?: string } }>

export async function entryPage(deps: Deps, request: EntryRequest, reply: FastifyReply, error: string | null = null) {
  const person = await findPerson(deps.db, Number(request.params.id))
  if (!person) throw noPerson()
  const q = (request.query.q ?? '').trim()
  const now = await lookNow(deps, person, q)
  const name = person.name ?? person.email
  const mayAct = await mayDecide(deps.db, viewerOf(request).role, person.id)
  const bound = now.found.find(({ id }) => id === person.directoryId)
  const listed = now.found.filter(({ id }) => id !== person.directoryId)
  return reply.page(
    'roster/entry',
    { title: `Directory entry of ${name}`, section: 'People', status: error ? 422 : 200 },
    {
      id: person.id,
      name,
      q,
      error,
      problem: now.problem,
      isBound: person.directoryId !== null,
      missing: person.directoryId !== null && !bound && now.problem === null ? (person.directoryDn ?? '') : null,
      bound: bound ? shownEntry(bound) : null,
      entries: listed.map((entry, index) => ({
        ...shownEntry(entry),
        sheets: mayAct && isUsable(entry) ? choicesOf(person, entry, index) : []
      }))
    }
  )
}

async function lookNow(deps: Deps, person: Person, q: string) {
  const opened = await directoryOf(deps)
  if ('problem' in opened) return { found: [], problem: opened.problem }
  try {
    return { found: await entriesOf(opened.directory, person, q), problem: null }
  } catch (error) {
    if (error instanceof DirectoryProblem) return { found: [], problem: error.message }
    throw error
  }
}

async function entriesOf(directory: Directory, person: Person, q: string): Promise<DirectoryPerson[]> {
  const addresses = q === '' ? [person.email, person.directoryMail ?? ''] : [q]
  const lists = await Promise.all([
    person.directoryId === null ? [] : directory.findPeople([person.directoryId]),
    ...addresses.filter(Boolean).map(address => directory.findByAddress(address))
  ])
  return [...new Map(lists.flat().map(entry => [entry.id, entry])).values()]
}

const isUsable = ({ isDisabled, isExcluded }: DirectoryPerson) => !isDisabled && !isExcluded

const shownEntry = ({ id, dn, name, mail, isDisabled, isExcluded }: DirectoryPerson) => ({
  id,
  dn,
  name: name ?? dn,
  mail: mail ?? 'no address',
  state: isExcluded ? 'Excluded in Settings' : isDisabled ? 'Disabled' : null
})

/** The entry is the same person's, or the account becomes another person's. */
function choicesOf(person: Person, { id, dn }: DirectoryPerson, index: number): EntryAct[] {
  const name = person.name ?? person.email
  const href = `/people/${person.id}/entry`
  const same: EntryAct = {
    href,
    label: 'This is the same person…',
    icon: 'check',
    primary: false,
    sheet: {
      id: `same-${index}`,
      heading: `Bind ${name} to this entry?`,
      button: 'Bind',
      keep: 'Leave it',
      text: `${dn} becomes the entry of this person. Role, teams and invitations stay; their sessions end.`,
      fields: [
        ['entry', id],
        ['holder', 'same']
      ]
    }
  }
  if (person.directoryId === null && person.signedUpAt === null) return [same]
  const other: EntryAct = {
    href,
    label: 'Hand over to this person…',
    icon: 'people',
    primary: false,
    sheet: {
      id: `other-${index}`,
      heading: `Hand the account of ${name} over?`,
      button: 'Hand over',
      keep: 'Leave it',
      text: `The password of ${dn} opens this account from now on, as a member. The former role, the Rollcall password, teams added by hand, an open invitation and all sessions end.`,
      fields: [
        ['entry', id],
        ['holder', 'other']
      ]
    }
  }
  return [same, other]
}

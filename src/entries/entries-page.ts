import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Db } from '../db/client.ts'
import { idOf } from '../lib/id.ts'
import { peopleInWords } from '../lib/words.ts'
import { enrollmentBadges } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { hrefOf, linksOf, pageOf, rowsToRead, textOf } from '../web/list.ts'
import { initialsOf } from '../web/pages.ts'
import { type Undecided, undecided } from './entries-store.ts'
import { relinksWaiting } from './relink-store.ts'

const maxCounted = 1_000

export async function entriesPage({ db }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const after = idOf(textOf(request.query, 'after'))
  const [found, heading, waiting] = await Promise.all([
    undecided(db, rowsToRead, after),
    undecidedInWords(db),
    viewerOf(request).role === 'owner' ? relinksWaiting(db, maxCounted) : []
  ])
  const page = pageOf(found, person => person.id)
  return reply.page(
    'entries/index',
    { title: 'Directory entries to review', section: 'Directory groups' },
    {
      heading: heading ? `Review the directory entries of ${heading}` : 'No entries to review',
      relink: waiting.length > 1 ? relinkSheet(waiting.length) : null,
      rows: page.rows.map(rowOf),
      ...linksOf(page, after !== undefined, after => hrefOf('/groups/entries', { after }))
    }
  )
}

function relinkSheet(count: number) {
  const people = count < maxCounted ? peopleInWords(count) : `${peopleInWords(count)} or more`
  return {
    id: 'relink',
    heading: `Bind ${people} to their new entries?`,
    button: 'Bind them',
    keep: 'Decide one by one',
    text: `Do this after the directory was replaced. Each has exactly one new entry with their address. Anyone whose former entry is still in the directory is left alone. Their sessions end.`
  }
}

/** Counted up to a thousand; null: none. */
export async function undecidedInWords(db: Db): Promise<string | null> {
  const { length } = await undecided(db, maxCounted + 1)
  if (length > maxCounted) return `over ${peopleInWords(maxCounted)}`
  return length === 0 ? null : peopleInWords(length)
}

const troubleWords = {
  'entry-missing': 'Password refused: their entry was not found',
  'two-entries': 'Password refused: two entries have their address',
  'entry-taken': 'Password refused: the entry with their address belongs to another person here'
}

function rowOf({ id, email, name: known, enrollment, trouble, directoryMail, otherDn }: Undecided) {
  const name = known ?? email
  const why = [
    trouble && troubleWords[trouble],
    otherDn && `Another entry has their address: ${otherDn}`,
    directoryMail && `The directory has ${directoryMail}`
  ]
  return {
    name,
    initials: initialsOf(name),
    email,
    href: `/people/${id}`,
    why: why.filter(Boolean),
    badge: enrollmentBadges[enrollment]
  }
}

/** Searches: one answer, or page by page with the cookie as the only guide (RFC 2696). */
import { type Filter, PagedResultsControl, SearchRequest } from 'ldapts'
import { DirectoryProblem } from '../directory.ts'
import type { RawEntry } from './ber.ts'
import type { Connection } from './connection.ts'
import { RefusedOperation } from './words.ts'

export interface Search {
  base: string
  scope: 'base' | 'one' | 'sub'
  filter: Filter
  attributes: string[]
  doing: string
  /** Entries of an honest answer at most; more end the connection. */
  maxEntries?: number
  isLarge?: boolean
  /** So many entries are enough, and the server may stop there (result 4). Only to look for one: never to read. */
  stopAfter?: number
}

/** Idle pages in a row that we follow. Servers may repeat a cookie, so it cannot reveal a loop. */
const maxIdlePages = 1_000

/** The first page was refused, or came as if paging had not been requested. */
export class CannotPage extends Error {
  override name = 'CannotPage'
}

const sizeLimitExceeded = 4
const referral = 10
/** What servers answer to a control that they do not have, or not for this account. */
const refusals = [12, 53]

/** One unpaged search. Throws RefusedOperation unless it succeeds, or if its only answer is a reference (10). */
export async function searchOnce(connection: Connection, search: Search): Promise<RawEntry[]> {
  const { doing, scope, maxEntries = scope === 'base' ? 1 : undefined, isLarge = false, stopAfter } = search
  const entries: RawEntry[] = []
  let references = 0
  const answer = await connection.send(requestFor(search), doing, {
    entry: entry => void entries.push(entry),
    reference: () => {
      references += 1
    },
    ...(maxEntries === undefined ? {} : { maxEntries }),
    isLarge
  })
  const { status, errorMessage, matchedDN } = answer
  const isEnough = stopAfter !== undefined && status === sizeLimitExceeded && entries.length > 0
  if (status !== 0 && !isEnough) throw new RefusedOperation(status, doing, errorMessage, matchedDN)
  if (scope === 'base' && entries.length === 0 && references > 0) throw new RefusedOperation(referral, doing, '')
  return entries
}

/** Pages while there is a cookie, without a size limit, which would cut silently. Throws CannotPage before any page. */
export async function* pagesOf(connection: Connection, search: Search, size: number): AsyncGenerator<RawEntry[]> {
  let coming: Promise<Page> | undefined = askForPage(connection, search, size)
  const beginnings = new Set<string>()
  try {
    for (let idle = 0; coming; ) {
      const { entries, cookie }: Page = await coming
      const [first] = entries
      idle = !first || beginnings.has(first.dn) ? idle + 1 : 0
      if (idle > maxIdlePages) throw endless(search)
      if (first) beginnings.add(first.dn)
      coming = cookie && askForPage(connection, search, size, cookie)
      // the caller that awaits it gets the error; until then it is unhandled on purpose
      coming?.catch(() => {})
      yield entries
    }
  } finally {
    // a server knows one paged search at a time: the next may begin when this one is answered
    await coming?.catch(() => {})
  }
}

interface Page {
  entries: RawEntry[]
  cookie: Buffer | undefined
}

async function askForPage(connection: Connection, search: Search, size: number, cookie?: Buffer): Promise<Page> {
  const control = new PagedResultsControl({ critical: true, value: { size, ...(cookie ? { cookie } : {}) } })
  const entries: RawEntry[] = []
  const request = requestFor(search, [control])
  const isFirst = cookie === undefined
  // some servers round up, none doubles
  const maxEntries = 2 * size + 10
  let count = 0
  // a server that does not know the control sends everything at once, which is not kept
  const answer = await connection.send(request, search.doing, {
    entry: entry => {
      count += 1
      if (count <= maxEntries) entries.push(entry)
    },
    ...(isFirst ? { isLarge: true } : { maxEntries })
  })
  // OpenLDAP: 11 "pagedResults control disabled" to an account with size.prtotal=disabled
  const isDisabled = answer.status === 11 && /paged/i.test(answer.errorMessage)
  if (isFirst && (isDisabled || refusals.includes(answer.status))) throw new CannotPage()
  if (answer.status !== 0) throw new RefusedOperation(answer.status, search.doing, answer.errorMessage)
  const reply = answer.controls?.find(each => each instanceof PagedResultsControl)
  if (!reply?.value && isFirst) throw new CannotPage()
  if (!reply?.value)
    throw new DirectoryProblem(
      `${search.doing}: the directory stopped answering in pages, so the rest is missing`,
      'Check what is between Rollcall and the directory; a proxy may strip paged results (RFC 2696)'
    )
  if (count > maxEntries)
    throw new DirectoryProblem(`${search.doing}: the directory sent a page of ${count} entries, of ${size} requested`)
  const next = reply.value.cookie
  return { entries, cookie: next?.length ? Buffer.from(next) : undefined }
}

const endless = ({ doing }: Search) =>
  new DirectoryProblem(
    `${doing}: the directory sends endless pages with nothing new in them`,
    'Look into the server’s log'
  )

function requestFor(
  { base, scope, filter, attributes, stopAfter = 0 }: Search,
  controls: PagedResultsControl[] = []
): SearchRequest {
  // 0: no limit. ldapts' own default would make the server stop after 10 s
  const limits = { sizeLimit: stopAfter, timeLimit: 0 }
  return new SearchRequest({ messageId: 0, baseDN: base, scope, filter, attributes, controls, ...limits })
}

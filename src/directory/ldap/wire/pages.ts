/** Searches: one answer, or page by page with the cookie as the only guide (RFC 2696). */
import { type Filter, PagedResultsControl, SearchRequest } from 'ldapts'
import { DirectoryProblem } from '../../directory.ts'
import type { RawEntry } from './ber.ts'
import type { Connection } from './connection.ts'
import { RefusedOperation } from './words.ts'

export interface Search {
  base: string
  scope: 'base' | 'one' | 'sub'
  filter: Filter
  attributes: string[]
  /** What we are about, for the message when it fails. */
  doing: string
}

/**
 * Pages in a row that we follow although they bring nothing: empty, or beginning as one before them did. Servers keep the
 * same cookie, so it cannot tell a loop.
 */
const mostIdlePages = 1_000

/** Everything that one unpaged search finds. Throws a RefusedOperation on any result but success. */
export async function searchOnce(connection: Connection, search: Search): Promise<RawEntry[]> {
  const entries: RawEntry[] = []
  const answer = await connection.send(requestFor(search), search.doing, entry => entries.push(entry))
  const { status, errorMessage, matchedDN } = answer
  if (status !== 0) throw new RefusedOperation(status, search.doing, errorMessage, matchedDN)
  return entries
}

/**
 * Page after page while there is a cookie, also after pages without entries. Never sets a size limit, because an answer
 * that was cut by one says success; a server that forgets the control midway has not given everything, and fails. The
 * next page is on its way while the caller works on one.
 */
export async function* pagesOf(connection: Connection, search: Search, size: number): AsyncGenerator<RawEntry[]> {
  let coming: Promise<Page> | undefined = askForPage(connection, search, size)
  const beginnings = new Set<string>()
  try {
    for (let idle = 0; coming; ) {
      const { entries, cookie }: Page = await coming
      const [first] = entries
      idle = !first || beginnings.has(first.dn) ? idle + 1 : 0
      if (idle > mostIdlePages) throw endless(search)
      if (first) beginnings.add(first.dn)
      coming = cookie && askForPage(connection, search, size, cookie)
      // whoever waits for it gets the error; until then it is nobody's
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
  const answer = await connection.send(request, search.doing, entry => entries.push(entry))
  if (answer.status !== 0) throw new RefusedOperation(answer.status, search.doing, answer.errorMessage)
  const reply = answer.controls?.find(each => each instanceof PagedResultsControl)
  if (!reply?.value)
    throw new DirectoryProblem(
      `${search.doing}: the directory stopped to answer in pages, so the rest is missing`,
      'Check what stands between Rollcall and the directory; a proxy may strip paged results (RFC 2696)'
    )
  const next = reply.value.cookie
  return { entries, cookie: next?.length ? Buffer.from(next) : undefined }
}

const endless = ({ doing }: Search) =>
  new DirectoryProblem(
    `${doing}: the directory gives pages without end and nothing new in them`,
    'Look into the server’s log'
  )

function requestFor({ base, scope, filter, attributes }: Search, controls: PagedResultsControl[] = []): SearchRequest {
  // 0: no limit. ldapts' own default would have the server stop after 10 s
  const limits = { sizeLimit: 0, timeLimit: 0 }
  return new SearchRequest({ messageId: 0, baseDN: base, scope, filter, attributes, controls, ...limits })
}

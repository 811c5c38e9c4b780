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

/** Pages without entries in a row that we follow; servers keep the same cookie, so it cannot tell a loop. */
const mostEmptyPages = 1_000

/** Everything that one unpaged search finds. Throws a RefusedOperation on any result but success. */
export async function searchOnce(connection: Connection, search: Search): Promise<RawEntry[]> {
  const entries: RawEntry[] = []
  const answer = await connection.send(requestFor(search), search.doing, entry => entries.push(entry))
  if (answer.status !== 0) throw new RefusedOperation(answer.status, search.doing, answer.errorMessage)
  return entries
}

/**
 * Page after page while there is a cookie, also after pages without entries. Never sets a size limit, because an answer
 * that was cut by one says success; a server that forgets the control midway has not given everything, and fails.
 */
export async function* pagesOf(connection: Connection, search: Search, size: number): AsyncGenerator<RawEntry[]> {
  let cookie: Buffer | undefined
  for (let empty = 0; empty < mostEmptyPages; ) {
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
    yield entries
    const next = reply.value.cookie
    if (!next?.length) return
    empty = entries.length === 0 ? empty + 1 : 0
    cookie = Buffer.from(next)
  }
  throw new DirectoryProblem(
    `${search.doing}: the directory gives empty pages without end`,
    'Look into the server’s log'
  )
}

function requestFor({ base, scope, filter, attributes }: Search, controls: PagedResultsControl[] = []): SearchRequest {
  // 0: no limit. ldapts' own default would have the server stop after 10 s
  const limits = { sizeLimit: 0, timeLimit: 0 }
  return new SearchRequest({ messageId: 0, baseDN: base, scope, filter, attributes, controls, ...limits })
}

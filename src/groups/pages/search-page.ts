import type { FastifyReply } from 'fastify'
import { directoryOf } from '../../directory/settings.ts'
import { DirectoryProblem, type FoundGroup, type FoundGroups } from '../../ldap/directory.ts'
import { searchText } from '../../lib/search-text.ts'
import { counted, number } from '../../lib/words.ts'
import { syncedAmong } from '../../sync/store.ts'
import type { Deps } from '../../web/deps.ts'
import { valuesOf } from '../../web/forms.ts'
import { kindWords } from './group-head-page.ts'
import type { GroupsQuery } from './groups-page.ts'

const most = 50

/** Nothing is asked before the second character. Groups selected in an earlier search stay on top. */
export async function searchView(deps: Deps, query: GroupsQuery, posted: string[], reply: FastifyReply) {
  const q = searchText(query.q)
  const ticked = [...new Set([...valuesOf(query.group), ...posted])]
  const nothing = { q, rows: [], found: [...q].length === 1 ? tooShort : '', problem: null }
  if ([...q].length < 2 && ticked.length === 0) return nothing
  const opened = await directoryOf(deps)
  if ('problem' in opened) return { ...nothing, problem: { text: opened.problem, advice: null } }
  // when the person keeps typing, the browser drops this request: stop asking the directory
  const gone = new AbortController()
  reply.raw.on('close', () => gone.abort(new Error('this search is no longer needed')))
  try {
    const { directory } = opened
    const search: FoundGroups =
      [...q].length < 2 ? { groups: [], hasMore: false } : await directory.searchGroups(q, most, gone.signal)
    const others = ticked.filter(id => !search.groups.some(group => group.id === id))
    const kept = others.length > 0 ? await directory.findGroups(others, gone.signal) : []
    const groups = [...kept, ...search.groups]
    const synced = await syncedAmong(
      deps.db,
      groups.map(({ id }) => id)
    )
    return {
      ...nothing,
      rows: groups.map(group => rowView(group, q, synced.get(group.id), ticked.includes(group.id))),
      found: [...q].length < 2 ? nothing.found : foundInWords(search, q, kept.length)
    }
  } catch (error) {
    if (gone.signal.aborted) return nothing
    if (!(error instanceof DirectoryProblem)) throw error
    return { ...nothing, problem: { text: error.message, advice: error.advice } }
  }
}

const tooShort = 'Type one more character to search.'

function foundInWords(search: FoundGroups, q: string, kept: number): string {
  const { hasMore } = search
  const count = search.groups.length
  const hidden = withoutIdInWords(search, q)
  if (hidden !== '' && count === 0) return hidden
  const groups = count === 1 ? 'group matches' : 'groups match'
  const found = count === 0 ? `No group matches “${q}”` : `${count} ${groups} “${q}”`
  const all = hasMore ? `The first ${count} groups that match “${q}”: type more to narrow the list` : found
  const said = hidden === '' ? all : `${all}. ${hidden}`
  return kept === 0 ? said : `${said}. Your earlier selection is listed first.`
}

/** As the directory test says: without an ID, a rename would lose a group. */
function withoutIdInWords({ withoutId = 0, idName = '' }: FoundGroups, q: string): string {
  if (withoutId === 0) return ''
  const groups = withoutId === 1 ? '1 group that matches' : `${number(withoutId)} groups that match`
  const show = withoutId === 1 ? 'shows' : 'show'
  return `${groups} “${q}” ${show} no ${idName}, so a rename would lose ${withoutId === 1 ? 'it' : 'them'}. Let the bind account read ${idName}, or choose another ID attribute in Settings › Directory.`
}

function rowView(group: FoundGroup, q: string, syncedId: number | undefined, isTicked: boolean) {
  const { id, name, mail, description, members, kind } = group
  const at = q === '' ? -1 : name.toLowerCase().indexOf(q.toLowerCase())
  const end = at + q.length
  return {
    id,
    name,
    isTicked,
    parts: at < 0 ? [name, '', ''] : [name.slice(0, at), name.slice(at, end), name.slice(end)],
    detail: [mail, description].filter(Boolean).join(' · ') || group.dn,
    kind: kindWords(kind),
    members: members === null ? '' : counted(members, 'member'),
    syncedHref: syncedId ? `/groups/${syncedId}` : null
  }
}

/** One connection for one job: opened, signed in, with the server's features; always closed. */
import { BindRequest, ExtendedRequest, ExtendedResponse, type Filter } from 'ldapts'
import { cutText } from '../lib/text/cut.ts'
import { DirectoryProblem, type DirectorySettings } from './directory.ts'
import { type Classes, readClasses, unknownClasses } from './schema/classes.ts'
import { type Defaults, defaultsOf, groupFilterFor, type Names, namesFor, peopleFilterFor } from './schema/defaults.ts'
import { type Exclusions, readExclusions } from './schema/exclusions.ts'
import { oids, readServer, type Server } from './schema/server.ts'
import { dnKey } from './syntax/dn.ts'
import { Entry } from './syntax/entry.ts'
import { parseFilter } from './syntax/filter.ts'
import { everything } from './syntax/literal.ts'
import type { RawEntry } from './wire/ber.ts'
import { connect, type Progress, silent } from './wire/connect.ts'
import type { Connection } from './wire/connection.ts'
import type { Limits } from './wire/limits.ts'
import { CannotPage, pagesOf, type Search, searchOnce } from './wire/pages.ts'
import { PasswordPolicy } from './wire/password-policy.ts'
import { RefusedOperation } from './wire/words.ts'

export interface Session {
  settings: DirectorySettings
  limits: Limits
  server: Server
  defaults: Defaults
  names: Names
  filters: { people: Filter; groups: Filter }
  classes: Classes
  isPerson(entry: Entry): boolean
  exclusions: Exclusions
  base: string
  search(search: Search): Promise<Entry[]>
  /** Page by page, or all at once from a server that cannot page. `first`: how many are needed. */
  pages(search: Search, first?: number): AsyncGenerator<Entry[]>
  /** One entry by its DN, or undefined when there is none that we may see. */
  read(dn: string, attributes: string[], doing: string, filter?: Filter): Promise<Entry | undefined>
  /** The same with values by the hundred thousand: only there may a message be large. */
  readLarge(dn: string, attributes: string[], doing: string): Promise<Entry | undefined>
  /** Throws if the server no longer knows our sign-in: it would show less and say nothing. */
  checkIdentity(): Promise<void>
}

export async function withSession<T>(
  settings: DirectorySettings,
  limits: Limits,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
  progress: Progress = silent
): Promise<T> {
  const connection = await connect(settings, limits, signal, progress)
  try {
    progress.begin('bind')
    const bound = await signIn(connection, settings.bindDn, settings.bindPassword)
    progress.done(settings.bindDn === '' ? 'Signed in anonymously' : `Signed in as ${settings.bindDn}`)
    return await work(await openSession(connection, settings, limits, bound, progress))
  } finally {
    connection.close()
  }
}

/** Refuses an empty password: servers answer it with success and an anonymous session (RFC 4513 §5.1.2). */
export async function signIn(connection: Connection, dn: string, password: string): Promise<string> {
  const doing = dn === '' ? 'Signing in anonymously' : `Signing in as ${dn}`
  if (dn !== '' && password === '')
    throw new DirectoryProblem(`${doing}: the password is empty`, 'Enter the password of the bind DN')
  const policy = new PasswordPolicy()
  const controls = dn === '' ? {} : { controls: [policy] }
  const answer = await connection.send(new BindRequest({ messageId: 0, dn, password, ...controls }), doing)
  const { status, errorMessage } = answer
  if (status !== 0) throw new RefusedOperation(status, doing, errorMessage, '', policy.error)
  // signed in, but refused everything until the password is changed
  if (policy.error === 2) throw new RefusedOperation(49, doing, errorMessage, '', policy.error)
  return doing
}

async function openSession(
  connection: Connection,
  settings: DirectorySettings,
  limits: Limits,
  doing: string,
  progress: Progress
): Promise<Session> {
  progress.begin('base')
  const base = baseOf(settings)
  const server = await readServer(connection)
  const identity = server.canSayWho ? await whoAmI(connection) : undefined
  if (identity === '' && settings.bindDn !== '')
    throw new DirectoryProblem(`${doing}: the server signed us in anonymously`, 'Check the bind DN and its password')
  const inside = (entries: RawEntry[]) => entries.map(raw => requireBelow(new Entry(raw), base, settings.baseDn))
  const defaults = defaultsOf(server.vendor)
  const names = namesFor(defaults, settings)
  const classes = await classesOf(connection, settings.url, server)
  return {
    settings,
    limits,
    server,
    defaults,
    names,
    classes,
    isPerson: personTest(settings, defaults, classes),
    filters: filtersOf(settings, defaults, names, classes),
    exclusions: readExclusions(settings.exclusions),
    base,
    ...searchesOn(connection, server, limits.pageSize, inside),
    async checkIdentity() {
      if (identity !== undefined && (await whoAmI(connection)) !== identity)
        throw new DirectoryProblem('The directory has signed Rollcall out', 'Try again')
    }
  }
}

function searchesOn(
  connection: Connection,
  server: Server,
  pageSize: number,
  inside: (entries: RawEntry[]) => Entry[]
): Pick<Session, 'search' | 'pages' | 'read' | 'readLarge'> {
  const ask = async (search: Search) => inside(await searchOnce(connection, search))
  const askForAll = (search: Search, stopAfter: number | undefined) =>
    ask({ ...search, isLarge: true, ...(stopAfter === undefined ? {} : { stopAfter }) })
  return {
    search: ask,
    async *pages(search, first) {
      if (!server.canPage) return yield await askForAll(search, first)
      const size = Math.min(first ?? pageSize, pageSize)
      try {
        for await (const page of pagesOf(connection, search, size)) yield inside(page)
      } catch (error) {
        if (!(error instanceof CannotPage)) throw error
        const everything = await askForAll(search, first)
        server.canPage = false
        yield everything
      }
    },
    read: (dn, attributes, doing, filter = everything) =>
      firstOf(ask({ base: dn, scope: 'base', filter, attributes, doing })),
    readLarge: (dn, attributes, doing) =>
      firstOf(ask({ base: dn, scope: 'base', filter: everything, attributes, doing, isLarge: true }))
  }
}

function baseOf({ baseDn }: DirectorySettings): string {
  const base = dnKey(baseDn)
  if (base === undefined) throw new DirectoryProblem(`The base “${baseDn}” is not a DN`, 'Write dc=example,dc=com')
  return base
}

/** Active Directory, 389 and eDirectory list superior classes with every entry; for others the schema tells them. */
async function classesOf(connection: Connection, url: string, { vendor, subschema }: Server): Promise<Classes> {
  const hasOwnRules = ['openldap', 'generic'].includes(vendor)
  return hasOwnRules && subschema !== null ? readClasses(connection, url, subschema) : unknownClasses
}

function personTest({ peopleFilter }: DirectorySettings, { people }: Defaults, classes: Classes): Session['isPerson'] {
  if (peopleFilter?.trim() || typeof people === 'string') return () => true
  return entry => people.some(name => classes.isOf(entry, name))
}

function filtersOf(settings: DirectorySettings, defaults: Defaults, names: Names, classes: Classes) {
  const groups = settings.groupFilter?.trim() || groupFilterFor(defaults, classes)
  const filter = groups.startsWith('(') ? groups : `(${groups})`
  const people = settings.peopleFilter?.trim() || peopleFilterFor(defaults, names.mail, filter, classes)
  return { people: parseFilter(people), groups: parseFilter(groups) }
}

async function firstOf(found: Promise<Entry[]>): Promise<Entry | undefined> {
  try {
    return (await found)[0]
  } catch (error) {
    if (error instanceof RefusedOperation && error.code === 32) return undefined
    throw error
  }
}

async function whoAmI(connection: Connection): Promise<string> {
  const doing = 'Asking the directory who we are'
  const answer = await connection.send(new ExtendedRequest({ messageId: 0, oid: oids.whoAmI }), doing)
  if (answer.status !== 0) throw new RefusedOperation(answer.status, doing, answer.errorMessage)
  return answer instanceof ExtendedResponse ? (answer.value ?? '') : ''
}

/** An entry from elsewhere was not asked for: do not believe it. */
function requireBelow(entry: Entry, base: string, baseDn: string): Entry {
  if (entry.isBelow(base)) return entry
  throw new DirectoryProblem(
    `The directory answered with ${cutText(entry.dn, 200)}, which is not below ${baseDn}`,
    'Check the base DN; a proxy or an alias may rewrite names'
  )
}

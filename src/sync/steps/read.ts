import { createHash, type Hash } from 'node:crypto'
import type { Database } from '../../db/client.ts'
import type { Directory, DirectoryPerson, Reading } from '../../ldap/directory.ts'
import { parseAddress } from '../../lib/addresses/email-address.ts'
import { readName } from '../../lib/name.ts'
import { cutText } from '../../lib/text/cut.ts'
import { clearStage, type StagedPerson, type StagedSet, stage, stagedSet } from './stage-store.ts'

/** Nothing of a failed run is applied; the reason is for people. */
export class RunFailed extends Error {}

/** People per statement: enough to be fast, few enough for the memory of both sides. */
const setSize = 2000
/** Bytes held back before anything is written: an unchanged group of some 100,000 people writes nothing at all. */
const maxKept = 32_000_000

export interface ReadWhole {
  reading: Reading
  fingerprint: string
  /** Writes what has not been written yet: then everyone is staged. */
  stageRest: () => Promise<void>
}

export interface ReadOptions {
  basis: string
  progress: (read: number) => void
  signal: AbortSignal
}

/** Reads a group in flat memory. @throws RunFailed when it is missing, unreadable or cannot be proved complete. */
export async function readWhole(
  db: Database,
  directory: Directory,
  run: { id: number; directoryId: string },
  { basis, progress, signal }: ReadOptions
): Promise<ReadWhole> {
  await clearStage(db, run.id)
  const people = new Staging(db, run.id, basis)
  const take = async (some: DirectoryPerson[]) => {
    progress(people.count + some.length)
    await people.add(some)
  }
  const result = await directory.readGroup(run.directoryId, take, signal).finally(() => people.awaitWrites())
  if (result.outcome === 'failed') throw new RunFailed(result.reason)
  if (result.outcome === 'missing')
    throw new RunFailed('The group is no longer in the directory, or the bind account may not see it')
  const { reading } = result
  if (reading.problems.length > 0) throw new RunFailed(reading.problems.join('. '))
  if (reading.resolved !== people.count)
    throw new RunFailed(`${reading.resolved} people were found but ${people.count} came, so the list is incomplete`)
  return { reading, ...people.end(reading.away) }
}

class Staging {
  readonly #db: Database
  readonly #runId: number
  readonly #hash: Hash
  #waiting: StagedPerson[] = []
  #kept: StagedSet[] = []
  #bytes = 0
  #count = 0
  #written = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(db: Database, runId: number, basis: string) {
    this.#db = db
    this.#runId = runId
    this.#hash = createHash('sha256').update(basis)
  }

  get count(): number {
    return this.#count
  }

  async add(people: DirectoryPerson[]): Promise<void> {
    for (const person of people) this.#waiting.push(stagedPerson(person))
    this.#count += people.length
    if (this.#waiting.length < setSize) return
    this.#close()
    if (this.#bytes > maxKept) await this.#write()
  }

  /** Ignores failures: the next write throws them. */
  awaitWrites(): Promise<void> {
    return this.#writing.catch(() => {})
  }

  /** `away` counts like people: it decides who stays in the team. */
  end(away: readonly string[]) {
    this.#close()
    for (const key of away.toSorted()) this.#hash.update(key).update('\0')
    return {
      fingerprint: this.#hash.digest('base64url'),
      stageRest: async () => {
        await this.#write()
        await this.#writing
      }
    }
  }

  #close() {
    if (this.#waiting.length === 0) return
    const set = stagedSet(this.#waiting)
    this.#waiting = []
    for (const text of set.columns) this.#hash.update(text).update('\0')
    this.#bytes += set.columns.reduce((sum, text) => sum + text.length, 0)
    this.#kept.push(set)
  }

  /** One set is being written while others arrive. */
  async #write() {
    const sets = this.#kept
    this.#kept = []
    for (const set of sets) {
      await this.#writing
      this.#writing = stage(this.#db, this.#runId, this.#written, set)
      this.#writing.catch(() => {})
      this.#written += set.people
    }
  }
}

function stagedPerson(person: DirectoryPerson): StagedPerson {
  const mail = clean(person.mail, 1000)
  const parsed = mail === null ? undefined : parseAddress(mail)
  const known = parsed && !('fault' in parsed) ? parsed : undefined
  return {
    directoryId: clean(person.id, 1000) ?? '',
    dn: clean(person.dn, 4000) ?? '',
    mail,
    address: known?.address ?? null,
    addressKey: known?.key ?? null,
    name: nameOf(person.name),
    department: composed(person.department),
    title: composed(person.title),
    manager: clean(person.manager, 4000),
    isDisabled: person.isDisabled,
    isExcluded: person.isExcluded,
    via: clean(person.via, 200)
  }
}

/** A name that shows nothing would be a link without text: use the address. */
const nameOf = (text: string | null) => readName(clean(text, 200) ?? '') ?? null

/** A department is one section of a page, however its name is spelled. */
const composed = (text: string | null) => clean(text?.normalize('NFC') ?? null, 200)

const unclean = /\p{Cc}/u

/** On one line, no longer than pages can show, and without characters that a database or terminal cannot handle. */
function clean(text: string | null, max: number): string | null {
  if (text === null) return null
  const line = unclean.test(text) ? text.replace(/\p{Cc}+/gu, ' ') : text
  return cutText(line.trim(), max) || null
}

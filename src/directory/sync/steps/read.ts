import type { Database } from '../../../db/client.ts'
import { parseAddress } from '../../../lib/email-address.ts'
import type { Directory, DirectoryPerson, Reading } from '../../directory.ts'
import { clearStage, type StagedPerson, stage } from './stage-store.ts'

/** Nothing of a failed run is applied; the reason is for people. */
export class RunFailed extends Error {}

/** People in one statement: large enough to be quick, small enough for the memory of both sides. */
const setSize = 2000

/**
 * Reads a group whole into the staging table, one set being written while the next one is read. `progress` is told how
 * many people have come.
 *
 * @throws RunFailed when the group is missing, cannot be read or cannot be proved complete.
 */
export async function readIntoStage(
  db: Database,
  directory: Directory,
  run: { id: number; directoryId: string },
  progress: (read: number) => void,
  signal: AbortSignal
): Promise<Reading> {
  await clearStage(db, run.id)
  let waiting: StagedPerson[] = []
  let staged = 0
  let writing: Promise<void> = Promise.resolve()
  const write = async () => {
    await writing
    writing = stage(db, run.id, staged, waiting)
    writing.catch(() => {})
    staged += waiting.length
    waiting = []
  }
  const take = async (people: DirectoryPerson[]) => {
    for (const person of people) waiting.push(stagedPerson(person))
    progress(staged + waiting.length)
    if (waiting.length >= setSize) await write()
  }
  const result = await directory.readGroup(run.directoryId, take, signal).finally(() => writing.catch(() => {}))
  if (result.outcome === 'failed') throw new RunFailed(result.reason)
  if (result.outcome === 'missing')
    throw new RunFailed('The group is not in the directory any more, or the bind account may not see it')
  if (waiting.length > 0) await write()
  await writing
  const { reading } = result
  if (reading.problems.length > 0) throw new RunFailed(reading.problems.join('. '))
  if (reading.resolved !== staged)
    throw new RunFailed(`${reading.resolved} people were found but ${staged} came: that cannot be all of them`)
  return reading
}

function stagedPerson(person: DirectoryPerson): StagedPerson {
  const mail = clean(person.mail, 1000)
  const parsed = mail === null ? undefined : parseAddress(mail)
  const known = parsed && !('fault' in parsed) ? parsed : undefined
  return {
    ...{ directoryId: person.id, dn: clean(person.dn, 4000) ?? '', mail },
    ...{ address: known?.address ?? null, addressKey: known?.key ?? null },
    ...{ name: clean(person.name, 200), department: clean(person.department, 200), title: clean(person.title, 200) },
    ...{ manager: clean(person.manager, 4000), isDisabled: person.isDisabled, isExcluded: person.isExcluded },
    via: clean(person.via, 200)
  }
}

/** On one line, not longer than pages can show, and without what a database or a terminal could stumble over. */
function clean(text: string | null, most: number): string | null {
  return (
    text
      ?.replace(/\p{Cc}+/gu, ' ')
      .trim()
      .slice(0, most)
      .toWellFormed() || null
  )
}

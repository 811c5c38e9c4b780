import { recordEvent } from '../audit/store.ts'
import { type Db, transaction } from '../db/client.ts'
import { type DirectoryDeps, directoryOf } from '../directory/settings.ts'
import type { Directory, DirectoryPerson } from '../ldap/directory.ts'
import { readExclusions } from '../ldap/schema/exclusions.ts'
import { dnKey } from '../ldap/syntax/dn.ts'
import { noteAnswers, postpone } from '../people/directory-checks-store.ts'
import { lockAddresses, lockOwners } from '../people/store.ts'
import { deactivateLeavers } from './deactivate-leavers.ts'
import { isTooMany } from './guard.ts'
import { type AskedPerson, countInDirectory, peopleInGroups, peopleToAskAbout } from './leavers-store.ts'
import { leaversToLetGo } from './to-let-go.ts'

const maxPeople = 500
const maxWitnesses = 5

/** Checks people that no group lists. False when none is due. Hold the directory's lock. @throws DirectoryProblem */
export async function checkLeavers(deps: DirectoryDeps, signal?: AbortSignal): Promise<boolean> {
  const { db } = deps
  const due = await peopleToAskAbout(db, maxPeople)
  if (due.length === 0) return false
  const found = await directoryOf(deps)
  if ('problem' in found) return false
  const { settings, deactivateLeavers: isOn } = found.state
  const isExcluded = readExclusions(settings.exclusions)
  const asked = due.filter(person => !isExcluded(dnKey(person.dn ?? '') ?? '', [person.email]))
  const { seen, answered } = await askDirectory(found.directory, asked, await peopleInGroups(db, maxWitnesses), signal)
  await transaction(db, async tx => {
    if (isOn) await lockOwners(tx)
    await lockAddresses(tx)
    const heard = new Set(answered.map(({ id }) => id))
    const others = due.filter(({ id }) => !heard.has(id))
    await postpone(
      tx,
      others.map(({ id }) => id)
    )
    if (answered.length === 0) return
    await noteAnswers(tx, answersOf(answered, seen))
    const isLast = (await peopleToAskAbout(tx, 1)).length === 0
    if (isOn && isLast) await deactivateOrHold(tx)
  })
  return true
}

/** `witnesses` must exist: a bind account without rights sees none of them, and its answers prove nothing. */
async function askDirectory(
  directory: Directory,
  asked: AskedPerson[],
  witnesses: AskedPerson[],
  signal: AbortSignal | undefined
) {
  const ids = [...asked, ...witnesses].map(({ directoryId }) => directoryId)
  const seen = new Map((await directory.findPeople(ids, signal)).map(person => [person.id, person]))
  if (witnesses.length > 0 && !witnesses.some(({ directoryId }) => seen.has(directoryId))) return { seen, answered: [] }
  const missing = asked.flatMap(({ directoryId: id, dn }) => (seen.has(id) ? [] : { id, dn }))
  const gone = new Set(missing.length > 0 ? await directory.findGone(missing, signal) : [])
  return { seen, answered: asked.filter(({ directoryId: id }) => seen.has(id) || gone.has(id)) }
}

function answersOf(asked: AskedPerson[], seen: ReadonlyMap<string, DirectoryPerson>) {
  const idsOfThose = (isSo: (person: DirectoryPerson | undefined) => boolean) =>
    asked.filter(({ directoryId }) => isSo(seen.get(directoryId))).map(({ id }) => id)
  return {
    asked: idsOfThose(person => person?.isExcluded !== true),
    gone: idsOfThose(person => person === undefined),
    disabled: idsOfThose(person => person?.isDisabled === true && !person.isExcluded)
  }
}

async function deactivateOrHold(tx: Db) {
  const leavers = (await leaversToLetGo(tx, { isOutside: true })).map(({ id }) => id)
  if (leavers.length === 0) return
  if (isTooMany(leavers.length, await countInDirectory(tx)))
    await recordEvent(tx, { kind: 'leavers-held', actorId: null, details: { people: leavers.length } })
  else await deactivateLeavers(tx, leavers, null)
}

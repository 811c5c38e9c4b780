import { checkPasswordAt } from './check-password.ts'
import { type Directory, DirectoryProblem, type DirectorySettings, type ReadOutcome } from './directory.ts'
import { findByAddressIn, findGroupsIn, findPeopleIn } from './find.ts'
import { goneAmong } from './reading/gone.ts'
import { readGroupIn } from './reading/read-group.ts'
import { searchGroupsIn } from './search-groups.ts'
import { type Session, withSession } from './session.ts'
import { testSteps } from './test-steps.ts'
import { type Limits, usualLimits } from './wire/limits.ts'

/** Connects for every question and leaves nothing to close. */
export function openDirectory(settings: DirectorySettings, own: Partial<Limits> = {}): Directory {
  const limits = { ...usualLimits, ...own }
  const ask = <T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>) =>
    withSession(settings, limits, signal, work)
  return {
    test: signal => testSteps(settings, limits, signal),
    searchGroups: (q, limit, signal) => ask(signal, session => searchGroupsIn(session, q, limit)),
    findGroups: (ids, signal) => ask(signal, session => findGroupsIn(session, ids)),
    findPeople: (ids, signal) => ask(signal, session => findPeopleIn(session, ids)),
    findGone: (people, signal) => ask(signal, session => goneAmong(session, people)),
    findByAddress: (address, signal) => ask(signal, session => findByAddressIn(session, address)),
    readGroup: (id, take, signal) =>
      ask(signal, session => readGroupIn(session, id, take)).catch(error => outcomeOf(error, signal)),
    checkPassword: (key, password, signal) => checkPasswordAt(settings, limits, key, password, signal)
  }
}

/** A failure of the directory is an outcome; an abort or a bug of ours is not. */
function outcomeOf(error: unknown, signal: AbortSignal | undefined): ReadOutcome {
  if (signal?.aborted || !(error instanceof DirectoryProblem)) throw error
  return { outcome: 'failed', reason: [error.message, error.advice].filter(Boolean).join('. ') }
}

/** New passwords by an emailed link. */
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { hashPassword, passwordProblem } from '../lib/secrets/password.ts'
import { inPasswordLine, type Turn } from '../lib/secrets/password-line.ts'
import { hashToken } from '../lib/secrets/token.ts'
import { queueRarely } from '../mail/store.ts'
import { readOrganization } from '../organization/store.ts'
import { letDirectoryPasswordIn } from '../people/entry-store.ts'
import { findPerson, findUserByKey, lockPerson, type PersonRow, requireRole, updatePassword } from '../people/store.ts'
import type { NoticeKind } from '../sessions/account-notices.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { notify } from '../sessions/notify.ts'
import { readRules, type SignInRules } from '../sessions/rules-store.ts'
import { deleteSessionsOf, forgetTries, lockTries } from '../sessions/store.ts'
import { closeLinks, findLink, type LinkState, useLink } from './account-links-store.ts'
import { accountKeyOf } from './sign-in.ts'

const kinds: NoticeKind[] = ['password-link', 'password-help']

export const maySignInWithPassword = ({ role }: Pick<PersonRow, 'role'>, { passwords }: SignInRules) =>
  passwords === 'everybody' || role === 'owner'

/** The same statements for every address, known or not (S20). False: this is no address. */
export async function askForLink(db: Database, typed: string): Promise<boolean> {
  const address = parseAddress(typed.trim())
  if ('fault' in address) return false
  await transaction(db, async tx => {
    await lockTries(tx, `forgotten ${accountKeyOf(address.key)}`)
    const [rules, user] = [await readRules(tx), await findUserByKey(tx, address.key)]
    const hasPassword = user !== undefined && user.passwordHash !== null && maySignInWithPassword(user, rules)
    await queueRarely(tx, hasPassword ? 'password-link' : 'password-help', user?.id ?? 0, kinds)
  })
  return true
}

export type OwnLink = 'sent' | 'too-many' | 'not-here'

/** For a user without a password: their session shows who they are, and the email that the address is theirs. */
export async function askForOwnLink(db: Database, personId: number): Promise<OwnLink> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    await requireRole(tx, personId, 'member')
    if (!person || !maySignInWithPassword(person, await readRules(tx))) return 'not-here'
    await lockTries(tx, `forgotten ${accountKeyOf(person.addressKey)}`)
    return (await queueRarely(tx, 'password-link', personId, kinds)) ? 'sent' : 'too-many'
  })
}

export type OpenLink =
  | { state: 'open'; person: PersonRow; hasCodes: boolean }
  | { state: 'unknown' | Exclude<LinkState, 'open'> }

export async function openPasswordLink(db: Db, token: string): Promise<OpenLink> {
  const link = await findLink(db, hashToken(token), 'password')
  if (!link) return { state: 'unknown' }
  const person = await findPerson(db, link.personId)
  if (link.state !== 'open') return { state: link.state }
  if (person?.enrollment !== 'signed-up') return { state: 'expired' }
  return { state: 'open', person, hasCodes: (await factorsOf(db, person.id)).hasCodes }
}

export type ResetOutcome =
  | { outcome: 'done' }
  | { outcome: 'refused'; problem: string; email: string; hasCodes: boolean }
  | { outcome: 'closed'; state: 'unknown' | Exclude<LinkState, 'open'> }

/** Ends all sessions (S19) and the other links. The second factor is still asked for at sign-in. */
export async function resetPassword(
  db: Database,
  { token, password, turn }: { token: string; password: string; turn: Omit<Turn, 'asker'> }
): Promise<ResetOutcome> {
  const link = await openPasswordLink(db, token)
  if (link.state !== 'open') return { outcome: 'closed', state: link.state }
  const { person, hasCodes } = link
  const organization = await readOrganization(db)
  const context = [person.email, person.name ?? '', organization?.organization ?? '']
  const problem = passwordProblem(password, context, hasCodes)
  if (problem) return { outcome: 'refused', problem, email: person.email, hasCodes }
  const hash = await inPasswordLine({ asker: 'known', ...turn }, () => hashPassword(password))
  const isDone = await transaction(db, tx => useUp(tx, person.id, token, hash))
  if (!isDone) return { outcome: 'closed', state: 'used' }
  await forgetTries(db, [accountKeyOf(person.addressKey)])
  return { outcome: 'done' }
}

/** The person is locked first: two links of one person close each other. */
async function useUp(tx: Db, id: number, token: string, hash: string): Promise<boolean> {
  const person = await lockPerson(tx, id)
  const isTheirs = (await useLink(tx, hashToken(token), 'password')) === id
  if (!isTheirs || person?.enrollment !== 'signed-up') return false
  // the directory's password has opened this account so far
  if (person.passwordHash === null && person.directoryId !== null) await letDirectoryPasswordIn(tx, person.id)
  await updatePassword(tx, person.id, hash)
  await deleteSessionsOf(tx, person.id)
  await closeLinks(tx, person.id, 'password')
  await recordEvent(tx, { kind: 'password-reset', actorId: person.id, personId: person.id })
  await notify(tx, 'password-reset', person.id)
  return true
}

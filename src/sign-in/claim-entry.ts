import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { bindEntry, type EntryRef, findByEntry, letDirectoryPasswordIn } from '../people/entry-store.ts'
import { findPerson, lockAddresses, lockPerson, type PersonRow } from '../people/store.ts'
import { claimantOf } from '../sessions/directory-sign-in.ts'

/** An account without a Rollcall password belongs to its entry; one with a password opens after the two were linked. */
export const opensWithDirectory = ({ passwordHash, directoryPasswordAt }: PersonRow) =>
  passwordHash === null || directoryPasswordAt !== null

/** Whether this entry still opens the account. Binds an account from before entries were stored, once. */
export async function claimEntry(tx: Db, personId: number, entry: EntryRef): Promise<boolean> {
  // binding changes who an address belongs to; other sign-ins need not wait
  if ((await findPerson(tx, personId))?.directoryId === null) await lockAddresses(tx)
  const person = await lockPerson(tx, personId)
  if (!person || !opensWithDirectory(person)) return false
  return person.directoryId === null ? claimFirst(tx, person, entry, 'sign-in') : person.directoryId === entry.id
}

/** Both passwords were right: from now on either opens the account. False when an admin decided otherwise. */
export async function linkEntry(tx: Db, personId: number, entry: EntryRef): Promise<boolean> {
  await lockAddresses(tx)
  const person = await lockPerson(tx, personId)
  if (person?.enrollment !== 'signed-up') return false
  const isBound =
    person.directoryId === null ? await claimFirst(tx, person, entry, 'password') : person.directoryId === entry.id
  if (!isBound || opensWithDirectory(person)) return isBound
  await letDirectoryPasswordIn(tx, personId)
  await recordEvent(tx, { kind: 'directory-linked', actorId: personId, personId, details: { entry: entry.dn } })
  return true
}

async function claimFirst(tx: Db, person: PersonRow, entry: EntryRef, by: 'sign-in' | 'password'): Promise<boolean> {
  if (!claimantOf(person).mayClaim || (await findByEntry(tx, entry.id)) !== undefined) return false
  await bindEntry(tx, person.id, entry, by)
  return true
}

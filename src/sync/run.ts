import type { changeKinds, leftOutReasons, runStates, SyncReceipt } from '../db/schema.ts'
import type { Reading } from '../ldap/directory.ts'
import { counted, number } from '../lib/words.ts'

export type RunState = (typeof runStates)[number]
export type ChangeKind = (typeof changeKinds)[number]
export type LeftOutReason = (typeof leftOutReasons)[number]

export const runBadges: Record<RunState, { tone: string; icon: string; text: string }> = {
  running: { tone: 'info', icon: 'refresh', text: 'Syncing' },
  done: { tone: 'good', icon: 'check', text: 'Synced' },
  parked: { tone: 'warn', icon: 'pause', text: 'Waiting for approval' },
  failed: { tone: 'bad', icon: 'alert', text: 'Failed' }
}

export const changeWords: Record<ChangeKind, string> = {
  added: 'Added to the team',
  removed: 'Removed from the team',
  parked: 'Would be removed',
  changed: 'Changed in the directory',
  address: 'Another address in the directory',
  disabled: 'Disabled in the directory',
  gone: 'Missing from the directory',
  back: 'Back in the directory',
  deactivated: 'Deactivated',
  'deactivation-parked': 'Would be deactivated'
}

export const leftOutWords: Record<LeftOutReason, string> = {
  'no-mail': 'no email address',
  malformed: 'an address that cannot get email',
  doubled: 'two entries of this group have this address',
  taken: 'the address of another person here'
}

export function receiptOf({ group: _, problems: __, away: ___, ...counts }: Reading) {
  return counts
}

/** Days during which a run's removals can be undone. */
export const undoDays = 30

/** "4,012 of 4,012 members in 3 ranges; 11 nested groups; 37 without mail, 12 disabled, 2 dangling". */
export function receiptInWords(receipt: SyncReceipt): string {
  const { listed, resolved, ranges, nestedGroups, cyclesCut, others, computed = 0, repeated = 0 } = receipt
  const members = Math.max(resolved, listed + computed - nestedGroups - cyclesCut - repeated - others)
  const read = `${number(resolved)} of ${number(members)} members`
  const parts = [
    [ranges > 1 ? `${read} in ${number(ranges)} ranges` : read],
    [some(nestedGroups, 'nested group', 'nested groups'), some(cyclesCut, 'cycle cut', 'cycles cut')],
    whatElse(receipt)
  ]
  return parts
    .map(part => part.filter(Boolean).join(', '))
    .filter(Boolean)
    .join('; ')
}

function whatElse(receipt: SyncReceipt): string[] {
  const { principals = 0, withoutId = 0, ambiguous = 0, elsewhere = 0, keptAway = 0, repeated = 0 } = receipt
  return [
    some(receipt.noMail, 'without an email address'),
    some(receipt.malformed, 'with an unusable address'),
    some(receipt.doubled, 'with the address of another member'),
    some(receipt.taken, 'with the address of another person'),
    some(receipt.otherAddress ?? 0, 'whose address here is different'),
    some(receipt.disabled, 'disabled'),
    some(receipt.foreign, 'with a foreign domain'),
    some(receipt.contacts - principals, 'contact', 'contacts'),
    some(principals, 'from another forest'),
    some(withoutId, 'without an ID'),
    some(ambiguous, 'whose name several entries share'),
    some(receipt.excluded, 'excluded'),
    some(receipt.others, 'that is not a person', 'that are not people'),
    some(elsewhere, 'in another directory'),
    some(keptAway, 'kept in the team because another directory holds them'),
    some(receipt.dangling, 'dangling'),
    some(receipt.foreignBase, 'outside the search base'),
    some(repeated, 'listed more than once')
  ]
}

const some = (value: number, one: string, many = one) => (value === 0 ? '' : counted(value, one, many))

/** A sync run: its words, its receipt as a sentence, and the guard. Pure. */
import type { changeKinds, leftOutReasons, runStates, SyncReceipt } from '../../db/schema.ts'

export type RunState = (typeof runStates)[number]
export type ChangeKind = (typeof changeKinds)[number]
export type LeftOutReason = (typeof leftOutReasons)[number]

export const runBadges: Record<RunState, { tone: string; icon: string; text: string }> = {
  running: { tone: 'info', icon: 'refresh', text: 'Syncing' },
  done: { tone: 'good', icon: 'check', text: 'Synced' },
  parked: { tone: 'warn', icon: 'pause', text: 'Waits for approval' },
  failed: { tone: 'bad', icon: 'alert', text: 'Failed' }
}

export const changeWords: Record<ChangeKind, string> = {
  added: 'Added to the team',
  removed: 'Taken out of the team',
  parked: 'Would be taken out',
  changed: 'Changed in the directory',
  disabled: 'Disabled in the directory',
  gone: 'Gone from the directory',
  back: 'Back in the directory',
  deactivated: 'Deactivated',
  'deactivation-parked': 'Would be deactivated'
}

export const leftOutWords: Record<LeftOutReason, string> = {
  'no-mail': 'no mail address',
  malformed: 'an address that cannot be mailed',
  doubled: 'the address of somebody else in this group',
  taken: 'the address of a user who has left the directory'
}

/** Days for which what a run removed can be put back. */
export const undoDays = 30

/** Would this many of so many be too many to go without somebody's word: more than max(5, 10 %), or all of them? */
export function isTooMany(going: number, all: number): boolean {
  return going > Math.max(5, all / 10) || (going > 0 && going >= all)
}

const amount = (number: number, one: string, many = `${one}s`) =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`

/**
 * "4,012 of 4,012 members in 3 ranges; 11 nested groups, 1 cycle cut; 37 without mail, 12 disabled, 5 with a foreign
 * domain, 2 dangling".
 */
export function receiptInWords(receipt: SyncReceipt): string {
  const { resolved, ranges, nestedGroups, cyclesCut } = receipt
  const known = resolved - receipt.contacts
  const parts = [
    `${known.toLocaleString('en')} of ${amount(membersOf(receipt), 'member')}${ranges > 1 ? ` in ${amount(ranges, 'range')}` : ''}`,
    [nestedGroups && amount(nestedGroups, 'nested group'), cyclesCut && `${amount(cyclesCut, 'cycle')} cut`],
    [
      receipt.noMail && `${amount(receipt.noMail, '', '').trim()} without mail`,
      receipt.malformed && `${receipt.malformed.toLocaleString('en')} with an unusable address`,
      receipt.doubled && `${receipt.doubled.toLocaleString('en')} with somebody else’s address`,
      receipt.taken && `${receipt.taken.toLocaleString('en')} with the address of a former user`,
      receipt.disabled && `${receipt.disabled.toLocaleString('en')} disabled`,
      receipt.foreign && `${receipt.foreign.toLocaleString('en')} with a foreign domain`,
      receipt.contacts && amount(receipt.contacts, 'contact'),
      receipt.excluded && `${receipt.excluded.toLocaleString('en')} excluded`,
      receipt.others && `${receipt.others.toLocaleString('en')} that are no people`,
      receipt.dangling && `${receipt.dangling.toLocaleString('en')} dangling`,
      receipt.foreignBase && `${receipt.foreignBase.toLocaleString('en')} outside the base`
    ]
  ]
  return parts
    .map(part => [part].flat().filter(Boolean).join(', '))
    .filter(Boolean)
    .join('; ')
}

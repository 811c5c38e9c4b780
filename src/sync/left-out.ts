import type { SyncReceipt } from '../db/schema.ts'
import { counted } from '../lib/words.ts'

/** Older runs had fewer counts. */
type Count = Exclude<keyof SyncReceipt, 'strategy'>

export interface Reason {
  name: string
  count: number
  text: string
}

/** In the order in which a page lists them: what an admin can fix first. */
const reasons: [name: Count, one: string, many?: string][] = [
  ['noMail', 'without an email address'],
  ['malformed', 'with an address that cannot get email'],
  ['doubled', 'with the address of another member'],
  ['taken', 'with the address of another person here'],
  ['excluded', 'excluded in Settings'],
  ['withoutId', 'without an ID'],
  ['ambiguous', 'whose name several entries share'],
  ['others', 'that is not a person or a followed group', 'that are not people or followed groups'],
  ['dangling', 'that no longer exists', 'that no longer exist'],
  ['elsewhere', 'in another directory'],
  ['foreignBase', 'outside the search base'],
  ['principals', 'from another forest']
]

/** Entries that are not members themselves, and are not left out either. */
const ways: [name: Count, one: string, many: string][] = [
  ['nestedGroups', 'nested group', 'nested groups'],
  ['cyclesCut', 'group that contains itself', 'groups that contain themselves'],
  ['repeated', 'listed more than once', 'listed more than once']
]

const countOf = (receipt: SyncReceipt, name: Count) => receipt[name] ?? 0
/** Members in another directory who stay in the team anyway. */
const keptAway = (receipt: SyncReceipt) => Math.min(countOf(receipt, 'elsewhere'), countOf(receipt, 'keptAway'))

const phrase = (count: number, one: string, many = one) => counted(count, one, many)

/** Why members of a group are not in its team, each reason with its number; empty: everyone is. */
export function leftOutOf(receipt: SyncReceipt): Reason[] {
  return reasons.flatMap(([name, one, many]) => {
    const count = countOf(receipt, name) - (name === 'elsewhere' ? keptAway(receipt) : 0)
    return count === 0 ? [] : [{ name, count, text: phrase(count, one, many) }]
  })
}

export const countLeftOut = (receipt: SyncReceipt): number =>
  leftOutOf(receipt).reduce((sum, { count }) => sum + count, 0)

/** Everyone read, less those whose entries cannot be used. */
export function peopleIn(receipt: SyncReceipt): number {
  const { resolved, noMail, malformed, doubled, taken, excluded } = receipt
  return receipt.people ?? resolved - noMail - malformed - doubled - taken - excluded
}

/** "The directory lists 12 members: 8 in the team, 2 without an email address, 1 nested group." The numbers add up. */
export function membersInWords(receipt: SyncReceipt): string {
  const listed = receipt.listed + countOf(receipt, 'computed')
  const people = peopleIn(receipt)
  const kept = keptAway(receipt)
  const others = [
    ...(kept > 0
      ? [
          phrase(
            kept,
            'kept in the team although another directory has it',
            'kept in the team although another directory has them'
          )
        ]
      : []),
    ...leftOutOf(receipt).map(({ text }) => text),
    ...ways.flatMap(([name, one, many]) =>
      countOf(receipt, name) > 0 ? [phrase(countOf(receipt, name), one, many)] : []
    )
  ]
  if (listed === 0) return 'The directory lists no members.'
  if (others.length === 0)
    return listed === 1
      ? 'The only member listed is in the team.'
      : `All ${phrase(listed, 'member', 'members')} listed are in the team.`
  return `The directory lists ${phrase(listed, 'member', 'members')}: ${[phrase(people, 'in the team'), ...others].join(', ')}.`
}

export function emptyInWords(receipt: SyncReceipt): string {
  const advice: string[] = []
  if (countOf(receipt, 'noMail') + countOf(receipt, 'malformed') > 0)
    advice.push('Give them an email address in the directory.')
  if (countOf(receipt, 'others') > 0) advice.push('Check the people filter and nested groups in Settings › Directory.')
  if (countOf(receipt, 'foreignBase') > 0) advice.push('Check the base in Settings › Directory.')
  return [membersInWords(receipt), ...advice].join(' ')
}

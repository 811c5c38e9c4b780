/** Which of an entry's addresses counts. Directories keep several, in no order (RFC 4511 §4.1.7). */
import { parseAddress } from '../../lib/addresses/email-address.ts'
import type { Entry } from '../syntax/entry.ts'
import type { Names } from './defaults.ts'

export interface Candidate {
  text: string
  place: number
}

/** The mail attributes, then Exchange's `proxyAddresses`: `SMTP:` marks the primary one, `smtp:` its aliases. */
export function addressesOf(entry: Entry, { mail }: Pick<Names, 'mail'>): Candidate[] {
  const found: Candidate[] = []
  mail.forEach((name, place) => {
    for (const value of entry.texts(name)) {
      const text = value.trim()
      if (text !== '') found.push({ text, place })
    }
  })
  for (const value of entry.texts('proxyAddresses')) {
    if (!/^smtp:/i.test(value)) continue
    const text = value.slice(5).trim()
    if (text !== '') found.push({ text, place: mail.length + (value.startsWith('SMTP:') ? 0 : 1) })
  }
  return found
}

/** Prefers the organization's domains (required of aliases), then usable addresses, then place; never by order. */
export function chooseAddress(candidates: readonly Candidate[], { mail, domains }: Names): string | null {
  // most entries have one, which need not be parsed here
  if (candidates.length <= 1 && candidates[0]?.place !== mail.length + 1) return candidates[0]?.text ?? null
  const primary = candidates.find(({ place }) => place === mail.length)?.text.toLowerCase()
  const [best] = candidates
    .map(({ text, place }) => {
      const parsed = parseAddress(text)
      const known = 'fault' in parsed ? undefined : parsed
      const worth = known === undefined ? 2 : domains.has(known.domain) ? 0 : 1
      const order: Order = [worth, place, text.toLowerCase() === primary ? 0 : 1]
      return { text, key: known?.key ?? text, order }
    })
    .filter(({ order: [worth, place] }) => worth === 0 || place !== mail.length + 1)
    .sort(
      (one, other) =>
        compareOrders(one.order, other.order) || compare(one.key, other.key) || compare(one.text, other.text)
    )
  return best?.text ?? null
}

type Order = [worth: number, place: number, isOther: number]

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

const compareOrders = (one: Order, other: Order) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]

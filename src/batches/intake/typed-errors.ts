import { splitAddresses, withoutName } from '../../lib/addresses/split-addresses.ts'
import { cutText } from '../../lib/text/cut.ts'
import { judgeLine, organizationDomains, reasonInWords } from '../recipient.ts'

export const maxAddresses = 5

/** In a field a name next to the address is dropped; in a file, where few people check each line, it is a question. */
export const addressesIn = (text: string) => splitAddresses(text).map(withoutName)

export interface TypedError {
  field: number
  text: string
}

export function errorsOf(fields: readonly string[], domains: readonly string[]): TypedError[] {
  const typed = fields.flatMap((text, field) => addressesIn(text).map(address => ({ field, address })))
  if (typed.length === 0) return [{ field: 0, text: 'Enter at least one address.' }]
  const beyond = typed[maxAddresses]
  if (beyond) {
    return [
      {
        field: beyond.field,
        text: `You entered ${typed.length} addresses. This form takes up to ${maxAddresses}; use Bulk invite for more.`
      }
    ]
  }
  const own = organizationDomains(domains)
  const isAlone = (field: number) => typed.filter(each => each.field === field).length === 1
  return typed.flatMap(({ field, address }) => {
    const judged = judgeLine(address, own)
    if (judged.verdict === null) return []
    const hint = judged.verdict === 'malformed' && judged.suggestion ? `. Did you mean ${judged.suggestion}?` : ''
    const which = isAlone(field) ? '' : `${cutText(address, 100)}: `
    return [{ field, text: `${which}${reasonInWords(judged)}${hint}` }]
  })
}

export function errorOf(errors: readonly TypedError[], field: number): string | null {
  const mine = errors.filter(error => error.field === field)
  return mine.map(({ text }) => text).join(' ') || null
}

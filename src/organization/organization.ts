import { canonicalDomain } from '../lib/addresses/email-address.ts'
import { readName } from '../lib/name.ts'
import { cutText } from '../lib/text/cut.ts'
import type { FieldErrors } from '../web/forms.ts'

export interface OrganizationForm {
  organization: string
  domains: string
}

/** Separated by line ends, commas, semicolons or blanks. */
export function readDomains(text: string): { names: string[]; wrong: string[] } {
  const words = text.split(/[\s,;]+/).filter(Boolean)
  const read = words.map(word => ({ word, name: canonicalDomain(word.replace(/^@/, '')) }))
  const names = [...new Set(read.flatMap(({ name }) => (name ? [name] : [])))]
  return { names, wrong: read.filter(({ name }) => !name).map(({ word }) => word) }
}

export function organizationErrors({ organization, domains }: OrganizationForm): FieldErrors {
  const errors: FieldErrors = {}
  if (readName(organization) === undefined) errors.organization = 'Enter the organization’s name, up to 200 characters.'
  const { names, wrong } = readDomains(domains)
  if (wrong.length > 0) errors.domains = `Not a domain: ${cutText(wrong.slice(0, 3).join(', '), 200)}`
  else if (names.length === 0) errors.domains = 'Enter at least one domain, such as example.org.'
  else if (names.length > 1000) errors.domains = 'Enter at most 1,000 domains.'
  return errors
}

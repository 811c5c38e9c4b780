import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { splitAddresses, withoutName } from '../../lib/addresses/split-addresses.ts'
import { cutText } from '../../lib/text/cut.ts'
import { type Organization, readOrganization } from '../../organization/store.ts'
import { findTeams } from '../../teams/store.ts'
import type { Deps } from '../../web/deps.ts'
import { form, repeated, valuesOf } from '../../web/forms.ts'
import { judgeLine, organizationDomains, reasonInWords } from '../recipient.ts'
import { inviteTyped } from './invite-typed.ts'
import { teamField } from './team-field.ts'

const body = form({ email: repeated(), team: repeated() })
const maxAddresses = 5

export function inviteRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps

  app.get('/invite', { config: { access: 'admin' } }, async (_request, reply) => {
    return invitePage(db, reply, (await readOrganization(db))!, [])
  })

  app.post<{ Body: Static<typeof body> }>(
    '/invite',
    { config: { access: 'admin' }, schema: { body } },
    async (request, reply) => {
      const organization = (await readOrganization(db))!
      const fields = valuesOf(request.body.email)
      const errors = errorsOf(fields, organization)
      const typed = valuesOf(request.body.team)
      const teams = await findTeams(db, typed)
      if (errors.length > 0 || teams.problem)
        return invitePage(db, reply, organization, fields, errors, { typed, error: teams.problem })
      const domains = organizationDomains(organization.domains)
      const addresses = fields.flatMap(addressesIn)
      const batchId = await inviteTyped(db, request.viewer!.id, addresses, domains, { teamIds: teams.ids })
      wake()
      return reply.redirect(`/batches/${batchId}`, 303)
    }
  )
}

/** In a field a name beside the address is dropped; in a file, where few look at each line, it is asked about. */
const addressesIn = (text: string) => splitAddresses(text).map(withoutName)

interface TypedError {
  /** The field's index, from 0. */
  field: number
  text: string
}

function errorsOf(fields: string[], organization: Organization): TypedError[] {
  const typed = fields.flatMap((text, field) => addressesIn(text).map(address => ({ field, address })))
  if (typed.length === 0) return [{ field: 0, text: 'Enter at least one address.' }]
  if (typed.length > maxAddresses) {
    return [
      {
        field: typed[maxAddresses]!.field,
        text: `You entered ${typed.length} addresses. This form takes up to ${maxAddresses}; use Bulk invite for more.`
      }
    ]
  }
  const domains = organizationDomains(organization.domains)
  const isAlone = (field: number) => typed.filter(each => each.field === field).length === 1
  return typed.flatMap(({ field, address }) => {
    const judged = judgeLine(address, domains)
    if (judged.verdict === null) return []
    const hint = judged.verdict === 'malformed' && judged.suggestion ? `. Did you mean ${judged.suggestion}?` : ''
    const which = isAlone(field) ? '' : `${cutText(address, 100)}: `
    return [{ field, text: `${which}${reasonInWords(judged)}${hint}` }]
  })
}

async function invitePage(
  db: Deps['db'],
  reply: FastifyReply,
  organization: Organization,
  typed: string[],
  errors: TypedError[] = [],
  team: { typed: string[]; error: string | null } = { typed: [], error: null }
) {
  const count = Math.max(maxAddresses, typed.length)
  const fields = Array.from({ length: count }, (_, index) => {
    const mine = errors.filter(error => error.field === index)
    return {
      id: `email-${index + 1}`,
      label: `Address ${index + 1}`,
      value: typed[index] ?? '',
      error: mine.map(({ text }) => text).join(' ') || null
    }
  })
  const isWrong = errors.length > 0 || team.error !== null
  const title = isWrong ? 'Error: Invite people' : 'Invite people'
  return reply.page(
    'batches/invite',
    { title, section: 'Invite', status: isWrong ? 422 : 200 },
    {
      fields,
      errors: [
        ...errors.map(error => ({
          href: `#email-${error.field + 1}`,
          text: `Address ${error.field + 1}: ${error.text}`
        })),
        ...(team.error ? [{ href: '#team', text: `Team: ${team.error}` }] : [])
      ],
      team: await teamField(db, team),
      domains: organization.domains.join(', '),
      days: organization.invitationDays
    }
  )
}

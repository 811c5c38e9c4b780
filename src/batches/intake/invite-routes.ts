import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { waitInWords } from '../../lib/duration.ts'
import { counted } from '../../lib/words.ts'
import { type Organization, organizationOf } from '../../organization/store.ts'
import { findTeams } from '../../teams/store.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { field, form, repeated, valuesOf } from '../../web/forms.ts'
import { perMinute } from '../../web/per-minute.ts'
import { organizationDomains } from '../recipient.ts'
import { domainsInWords } from './domains-in-words.ts'
import { inviteTyped } from './invite-typed.ts'
import { teamField } from './team-field.ts'
import { addressesIn, errorOf, errorsOf, maxAddresses, type TypedError } from './typed-errors.ts'

const body = form({ email: repeated(), team: repeated() })
const checkBody = form({ email: field() })
/** More fields than anyone fills in by typing in a minute. */
const maxChecksPerMinute = 120

export function inviteRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  checkRoute(app, deps)

  app.get('/invite', { config: { access: 'admin' } }, async (_request, reply) => {
    return invitePage(db, reply, await organizationOf(db), [])
  })

  app.post<{ Body: Static<typeof body> }>(
    '/invite',
    { config: { access: 'admin' }, schema: { body } },
    async (request, reply) => {
      const organization = await organizationOf(db)
      const fields = valuesOf(request.body.email)
      const errors = errorsOf(fields, organization.domains)
      const typed = valuesOf(request.body.team)
      const teams = await findTeams(db, typed)
      if (errors.length > 0 || teams.problem)
        return invitePage(db, reply, organization, fields, errors, { typed, error: teams.problem })
      const domains = organizationDomains(organization.domains)
      const addresses = fields.flatMap(addressesIn)
      const batchId = await inviteTyped(db, viewerOf(request).id, addresses, domains, { teamIds: teams.ids })
      wake()
      return reply.redirect(`/batches/${batchId}`, 303)
    }
  )
}

function checkRoute(app: FastifyInstance, { db }: Deps): void {
  const waitOf = perMinute(maxChecksPerMinute)

  app.post<{ Body: Static<typeof checkBody> }>(
    '/invite/check',
    { config: { access: 'admin' }, schema: { body: checkBody } },
    async (request, reply) => {
      const wait = waitOf(viewerOf(request).id)
      if (wait > 0) {
        reply.header('retry-after', String(wait))
        throw new Refusal(429, `You checked too many addresses. Wait ${waitInWords(wait)} and try again.`)
      }
      const { email } = request.body
      // a blank field alone is not wrong: the others may hold addresses
      const isBlank = addressesIn(email).length === 0
      const errors = isBlank ? [] : errorsOf([email], (await organizationOf(db)).domains)
      return reply.page('batches/verdict', { title: 'Invite people' }, { error: errorOf(errors, 0) })
    }
  )
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
  const fields = Array.from({ length: count }, (_, index) => ({
    id: `email-${index + 1}`,
    label: `Address ${index + 1}`,
    value: typed[index] ?? '',
    error: errorOf(errors, index)
  }))
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
      domains: domainsInWords(organization.domains),
      days: counted(organization.invitationDays, 'day')
    }
  )
}

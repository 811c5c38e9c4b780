import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { readName } from '../lib/name.ts'
import { changeOrganization } from '../organization/change-organization.ts'
import { organizationErrors, readDomains } from '../organization/organization.ts'
import { organizationOf } from '../organization/store.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { timeZoneNamed } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { type FieldErrors, field, form, optionalField } from '../web/forms.ts'

const body = form({
  organization: field(),
  domains: field(),
  continue_url: field(),
  invitation_days: field(),
  time_zone: optionalField()
})
type Fields = Static<typeof body>

export function settingsRoutes(app: FastifyInstance, { db }: Deps): void {
  app.get('/settings', { config: { access: 'owner' } }, (_request, reply) =>
    reply.redirect('/settings/organization', 303)
  )

  app.get('/settings/organization', { config: { access: 'owner' } }, async (_request, reply) => {
    const { organization, domains, continueUrl, invitationDays, timeZone } = await organizationOf(db)
    const values = {
      organization,
      domains: domains.join('\n'),
      continue_url: continueUrl ?? '',
      invitation_days: String(invitationDays),
      time_zone: timeZone
    }
    return organizationPage(reply, values, {})
  })

  app.post<{ Body: Fields }>(
    '/settings/organization',
    { config: { access: 'owner' }, schema: { body } },
    async (request, reply) => {
      const values = request.body
      const errors = errorsOf(values)
      const organization = readName(values.organization)
      const timeZone = timeZoneNamed(values.time_zone ?? '')
      if (organization === undefined || Object.keys(errors).length > 0) return organizationPage(reply, values, errors)
      await changeOrganization(db, viewerOf(request).id, {
        organization,
        domains: readDomains(values.domains).names,
        continueUrl: values.continue_url.trim() || null,
        invitationDays: Number(values.invitation_days),
        ...(timeZone && { timeZone })
      })
      return redirectWith(reply, db, '/settings/organization', 'Saved.')
    }
  )
}

function errorsOf(values: Fields): FieldErrors {
  const errors = organizationErrors(values)
  const url = values.continue_url.trim()
  if (url && !isWebAddress(url))
    errors.continue_url = 'Enter a web address that starts with https:// or http://, or leave it blank.'
  const days = /^\d{1,2}$/.test(values.invitation_days) ? Number(values.invitation_days) : 0
  if (values.time_zone !== undefined && !timeZoneNamed(values.time_zone))
    errors.time_zone = 'Enter a time zone like Europe/Berlin.'
  if (days < 1 || days > 30) errors.invitation_days = 'Enter a number of days from 1 to 30.'
  return errors
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol) && text.length <= 2000
}

function organizationPage(reply: FastifyReply, values: Fields, errors: FieldErrors) {
  const isWrong = Object.keys(errors).length > 0
  const title = isWrong ? 'Error: Organization' : 'Organization'
  return reply.page(
    'settings/organization',
    { title, section: 'Settings', status: isWrong ? 422 : 200 },
    { values: { time_zone: '', ...values }, errors, timeZones: Intl.supportedValuesOf('timeZone') }
  )
}

import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { form, optionalField } from '../web/forms.ts'
import { changeSignIn } from './change-sign-in.ts'
import type { Plan } from './provider-plan.ts'
import { type SignInFields, signInFields } from './sign-in-form.ts'
import { signInSettingsPage } from './sign-in-page.ts'

const body = form({
  oidc: optionalField(),
  oidc_issuer: optionalField(),
  oidc_client_id: optionalField(),
  oidc_client_secret: optionalField(),
  oidc_name: optionalField(),
  oidc_algorithm: optionalField(),
  oidc_trusted_domains: optionalField(),
  oidc_join: optionalField(),
  oidc_groups_claim: optionalField(),
  oidc_teams: optionalField(),
  ldap: optionalField(),
  passwords: optionalField(),
  second_factor: optionalField()
})
type Fields = Static<typeof body>

export function signInSettingsRoutes(app: FastifyInstance, deps: Deps): void {
  app.get('/settings/sign-in', { config: { access: 'owner' } }, (_request, reply) => signInSettingsPage(deps, reply))

  app.post<{ Body: Fields }>(
    '/settings/sign-in',
    { config: { access: 'owner' }, schema: { body } },
    async (request, reply) => {
      const typed = fieldsOf(request.body)
      const result = await changeSignIn(deps, viewerOf(request), typed)
      if ('errors' in result) return signInSettingsPage(deps, reply, { typed, errors: result.errors })
      return redirectWith(reply, deps.db, '/settings/sign-in', savedText(result.plan))
    }
  )
}

/** Without what was not sent, and with the line ends that the rest of Rollcall uses. */
function fieldsOf(body: Fields): SignInFields {
  const sent = signInFields.filter(name => body[name] !== undefined)
  return Object.fromEntries(sent.map(name => [name, body[name]?.replaceAll('\r\n', '\n')]))
}

function savedText({ turn, candidate }: Plan): string {
  if (turn === 'on') return 'The provider is on. People can sign in with your organization’s account.'
  if (turn === 'off') return 'The provider is off. Its settings are kept.'
  return candidate ? 'Saved. These settings are used once a test sign-in has succeeded and you turn them on.' : 'Saved.'
}

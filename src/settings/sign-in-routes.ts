import type { FastifyInstance } from 'fastify'
import { bindLimit } from '../directory/password-check.ts'
import { readDirectory } from '../directory/settings.ts'
import { newestGoodRead } from '../groups/decisions/listing-store.ts'
import { directorySignInOn } from '../oidc/organization-sign-in.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'

/** Only shows how people sign in: the environment turns directory sign-in on. */
export function signInSettingsRoutes(app: FastifyInstance, deps: Deps): void {
  app.get('/settings/sign-in', { config: { access: 'owner' } }, async (request, reply) => {
    const [{ settings, problem, locked }, read] = await Promise.all([readDirectory(deps), newestGoodRead(deps.db)])
    const host = URL.parse(settings.url)?.host
    return reply.page(
      'settings/sign-in',
      { title: 'Sign-in', section: 'Settings' },
      {
        isOn: await directorySignInOn(deps),
        server: host ? `${host}${locked.has('url') ? ', set by LDAP_URL in the environment' : ''}` : null,
        problem,
        lastRead: read ? showTime(read, viewerOf(request).timeZone) : null,
        limit: bindLimit
      }
    )
  })
}

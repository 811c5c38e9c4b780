import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { recordEvent } from '../audit/store.ts'
import { transaction } from '../db/client.ts'
import { useLogoutToken } from '../oidc/accounts-store.ts'
import { type LogoutToken, readLogoutToken, WrongLogoutToken } from '../oidc/logout-token.ts'
import { readProvider } from '../oidc/settings.ts'
import { deleteProviderSessions } from '../sessions/provider-session-store.ts'
import type { Deps } from '../web/deps.ts'

const body = Type.Object({ logout_token: Type.String({ maxLength: 16_384 }) })

/** Back-channel logout: the provider itself says that a session there has ended, so no browser and no origin is asked. */
export async function logoutRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  app.post<{ Body: Static<typeof body> }>(
    '/sign-in/oidc/logout',
    { config: { access: 'anyone', anyOrigin: true }, schema: { body }, attachValidation: true },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      if (request.validationError) return reply.code(400).send({ error: 'invalid_request' })
      const { inForce } = await readProvider(deps)
      if (!inForce) return reply.code(400).send({ error: 'invalid_request' })
      try {
        await end(deps, await readLogoutToken(deps, inForce, request.body.logout_token))
        return reply.code(200).send()
      } catch (error) {
        if (!(error instanceof WrongLogoutToken)) throw error
        request.log.warn({ reason: error.message }, 'a logout token was refused')
        return reply.code(400).send({ error: 'invalid_request', error_description: error.message })
      }
    }
  )
}

/** By the provider's session, else by the subject. The token counts once, also when two arrive at the same moment. */
async function end({ db }: Deps, { issuer, jti, sid, subject }: LogoutToken): Promise<void> {
  await transaction(db, async tx => {
    if (!(await useLogoutToken(tx, issuer, jti))) throw new WrongLogoutToken('It was used before')
    const sessions = await deleteProviderSessions(tx, { issuer, sid, subject })
    if (sessions > 0) await recordEvent(tx, { kind: 'provider-signed-out', actorId: null, details: { sessions } })
  })
}

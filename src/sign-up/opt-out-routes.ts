import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { keysOf } from '../config/env.ts'
import { stopMailTo } from '../invitations/opt-out.ts'
import { readOptOutToken } from '../lib/secrets/token.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'

interface ByToken {
  Params: { token: string }
}

const params = Type.Object({ token: Type.String() })

/** Needs a scope of its own: mail programs post anything, and must not be redirected (RFC 8058, 3.1 and 3.2). */
export async function optOutRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  // the link says everything, so no body, however broken, keeps it from working
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async () => ({}))
  app.addHook('onRequest', async ({ headers }) => {
    if (headers['content-type'] !== undefined) headers['content-type'] = 'application/octet-stream'
  })

  const personOf = (token: string): number => {
    const personId = readOptOutToken(keysOf(deps), token)
    if (personId === undefined)
      throw new Refusal(
        404,
        'This link does not work. Copy all of it from the email, or reply to the email and ask for no more invitations.'
      )
    return personId
  }

  app.get<ByToken>(
    '/unsubscribe/:token',
    { config: { access: 'anyone' }, schema: { params } },
    async (request, reply) => {
      personOf(request.params.token)
      return reply.page(
        'sign-up/opt-out',
        { title: 'Stop invitations' },
        { action: request.url.split('?')[0], isDone: false }
      )
    }
  )

  const config = { access: 'anyone', anyOrigin: true } as const
  app.post<ByToken>('/unsubscribe/:token', { config, schema: { params } }, async (request, reply) => {
    const isKnown = await stopMailTo(deps.db, personOf(request.params.token))
    if (!isKnown) throw new Refusal(404, 'This person is no longer in Rollcall, so there is no email to stop.')
    return reply.page('sign-up/opt-out', { title: 'Invitations stopped' }, { action: '', isDone: true })
  })
}

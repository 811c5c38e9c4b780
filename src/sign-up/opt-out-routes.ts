import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { keysOf } from '../config.ts'
import { stopMailTo } from '../invitations/opt-out.ts'
import { readOptOutToken } from '../lib/token.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form, optionalField } from '../web/forms.ts'

interface ByToken {
  Params: { token: string }
}

const params = Type.Object({ token: Type.String() })

/**
 * Opting out of invitations: a page for people, one click for mail programs, no sign-in for either. Register in a scope
 * of its own: mail programs may post multipart, and must not be redirected (RFC 8058, 3.1 and 3.2).
 */
export async function optOutRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  // the address says everything: what such a form holds is not looked at
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, async () => ({}))

  const personOf = (token: string): number => {
    const personId = readOptOutToken(keysOf(deps), token)
    if (personId === undefined)
      throw new Refusal(
        404,
        'This link does not work: copy all of it from the mail, or answer the mail and say that you want no more.'
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

  const body = form({ 'List-Unsubscribe': optionalField() })
  const config = { access: 'anyone', anyOrigin: true } as const
  app.post<ByToken>('/unsubscribe/:token', { config, schema: { params, body } }, async (request, reply) => {
    const isKnown = await stopMailTo(deps.db, personOf(request.params.token))
    if (!isKnown) throw new Refusal(404, 'There is nobody to stop mail to: the person is gone.')
    return reply.page('sign-up/opt-out', { title: 'Invitations stopped' }, { action: '', isDone: true })
  })
}

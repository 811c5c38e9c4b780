import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { entered } from '../sessions/entered-page.ts'
import { browserOf } from '../sessions/scopes.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form } from '../web/forms.ts'
import { signInByLink, stateOfSignInLink } from './sign-in-link.ts'

interface ByToken {
  Params: { token: string }
}

/** GET only shows: a link that a program looks at is not used up. */
export function onceRoutes(app: FastifyInstance, deps: Deps): void {
  const params = Type.Object({ token: Type.String() })
  app.get<ByToken>(
    '/sign-in/once/:token',
    { config: { access: 'anyone' }, schema: { params } },
    async (request, reply) => {
      const { token } = request.params
      const state = await stateOfSignInLink(deps.db, token)
      if (state === 'unknown') throw new Refusal(404, 'There is no such link.')
      if (state !== 'open') throw used()
      return reply.page('sign-in/once', { title: 'Sign in' }, { token })
    }
  )

  app.post<ByToken>(
    '/sign-in/once/:token',
    { config: { access: 'anyone' }, schema: { params, body: form({}) } },
    async (request, reply) => {
      const { token } = request.params
      if ((await stateOfSignInLink(deps.db, token)) === 'unknown') throw new Refusal(404, 'There is no such link.')
      const { userAgent, oldToken } = browserOf(request)
      const started = await signInByLink(deps.db, token, { userAgent, oldToken })
      if (!started) throw used()
      return entered(deps, reply, started, { next: undefined })
    }
  )
}

const used = () => new Refusal(410, 'This link was used or has expired. Make another one on the server.')

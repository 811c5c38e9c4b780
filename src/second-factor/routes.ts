import type { FastifyInstance } from 'fastify'
import type { Doors } from '../sessions/doors.ts'
import { forgottenRoutes } from '../sign-in/forgotten-routes.ts'
import { onceRoutes } from '../sign-in/once-routes.ts'
import type { Deps } from '../web/deps.ts'
import { factorRoutes } from './factor-routes.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import { passkeySignInRoutes } from './passkey-sign-in-routes.ts'
import { factorSignInRoutes } from './sign-in-routes.ts'

export function secondFactorRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  forgottenRoutes(app, deps)
  onceRoutes(app, deps)
  factorSignInRoutes(app, deps)
  factorRoutes(app, deps)
  passkeyRoutes(app, deps)
  passkeySignInRoutes(app, deps, doors)
}

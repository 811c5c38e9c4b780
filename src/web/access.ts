/** Who may use a route: declared at every route, or the start stops. */
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { includesRole, type Role } from '../lib/role.ts'
import { Refusal } from './errors.ts'

/** The smallest role that may use a route; `operator`: without sign-in and under any Host. */
export type Access = 'anyone' | 'operator' | Role

export interface Viewer {
  id: number
  name: string
  email: string
  role: Role
  theme: 'system' | 'light' | 'dark'
  timeZone: string
  shortcuts: boolean
  sessionId: number
}

export interface DeclaredRoute {
  method: string
  url: string
  config: FastifyContextConfig
}

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer | null
    organization: string | null
    flash: string | null
  }
  interface FastifyInstance {
    /** Every route there is. */
    declaredRoutes: readonly DeclaredRoute[]
  }
  interface FastifyContextConfig {
    access?: Access
    /** Only for the one-click opt-out of RFC 8058, which mail providers post. */
    anyOrigin?: boolean
    /** How long its handler may take, where that is more than usual (handlers.ts). */
    patienceSeconds?: number
    /** Its body is a file of any size, which the handler reads while it arrives. */
    isUpload?: boolean
  }
}

/** Stops the start at a route that declares no role, and lists the others. Register before the first route. */
export function requireDeclaredAccess(app: FastifyInstance): void {
  const routes: DeclaredRoute[] = []
  app.decorate('declaredRoutes', routes)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.access) throw new Error(`${String(method)} ${url} declares no role`)
    for (const each of [method].flat()) routes.push({ method: each, url, config })
  })
}

/**
 * The person who asks, in a handler of a route that only a role may use: `checkAccess` refuses anyone else.
 *
 * @throws where the route is open to everyone.
 */
export function viewerOf({ viewer }: FastifyRequest): Viewer {
  if (!viewer) throw new Error('This route may be used without signing in, so it cannot rely on a viewer')
  return viewer
}

/** Refuses viewers who may not use the route. Runs once the viewer is known. */
export async function checkAccess(
  request: FastifyRequest,
  askToSignIn: () => Promise<FastifyReply>
): Promise<FastifyReply | undefined> {
  const access = request.routeOptions.config.access
  if (!access || access === 'anyone' || access === 'operator') return undefined
  if (!request.viewer) return askToSignIn()
  if (!includesRole(request.viewer.role, access)) throw new Refusal(403, 'Your role does not include this page.')
  return undefined
}

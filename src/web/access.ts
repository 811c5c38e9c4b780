/** Every route declares who may use it, or Rollcall does not start. */
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { includesRole, type Role } from '../lib/role.ts'
import { Refusal } from './errors.ts'

/** The lowest role that may use a route; `operator`: without sign-in and under any Host. */
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
  /** A required second factor is missing. */
  needsFactor: boolean
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
    declaredRoutes: readonly DeclaredRoute[]
  }
  interface FastifyContextConfig {
    access?: Access
    /** For the one-click opt-out of RFC 8058, which mail providers post. */
    anyOrigin?: boolean
    patienceSeconds?: number
    /** Open to people who still have to set up their second factor. */
    withoutFactor?: boolean
    /** The body is a file of any size, which the handler reads as it arrives. */
    isUpload?: boolean
  }
}

/** Stops the start at a route without a declared role. Register before the first route. */
export function requireDeclaredAccess(app: FastifyInstance): void {
  const routes: DeclaredRoute[] = []
  app.decorate('declaredRoutes', routes)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.access) throw new Error(`${String(method)} ${url} declares no role`)
    for (const each of [method].flat()) routes.push({ method: each, url, config })
  })
}

/** The viewer of a route that requires a role. @throws where the route is open to everyone. */
export function viewerOf({ viewer }: FastifyRequest): Viewer {
  if (!viewer) throw new Error('This route may be used without signing in, so it cannot rely on a viewer')
  return viewer
}

export async function checkAccess(
  { routeOptions: { config }, viewer, method }: FastifyRequest,
  reply: FastifyReply,
  askToSignIn: () => Promise<FastifyReply>
): Promise<FastifyReply | undefined> {
  const { access } = config
  if (!access || access === 'anyone' || access === 'operator') return undefined
  if (!viewer) return askToSignIn()
  if (viewer.needsFactor && !config.withoutFactor) {
    if (method === 'GET' || method === 'HEAD') return reply.redirect('/me/second-factor', 303)
    throw new Refusal(403, 'Set up your second factor first. Nothing was changed.')
  }
  if (!includesRole(viewer.role, access)) throw new Refusal(403, 'Your role does not include this page.')
  return undefined
}

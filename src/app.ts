/** The table of contents: every scope and every route of Rollcall. */
import Fastify, { type FastifyInstance } from 'fastify'
import { activityRoutes } from './audit/routes.ts'
import { controlRoutes } from './batches/control/routes.ts'
import { bulkRoutes } from './batches/intake/bulk-routes.ts'
import { inviteRoutes } from './batches/intake/invite-routes.ts'
import { batchRoutes } from './batches/report/batch-routes.ts'
import { batchesRoutes } from './batches/report/batches-routes.ts'
import { dashboardRoutes } from './dashboard/routes.ts'
import { entriesRoutes } from './entries/entries-routes.ts'
import { groupRoutes } from './groups/pages/group-routes.ts'
import { groupsRoutes } from './groups/pages/groups-routes.ts'
import { runRoutes } from './groups/pages/run-routes.ts'
import { selectionRoutes } from './groups/selection/selection-routes.ts'
import { rolesBehind } from './invitations/link-store.ts'
import { invitationRoutes } from './invitations/routes.ts'
import { leaversRoutes } from './leavers/leavers-routes.ts'
import { outboxRoutes } from './mail/routes.ts'
import { meRoutes } from './me/routes.ts'
import { operatorRoutes } from './operations/routes.ts'
import { accessRoutes } from './roster/access-routes.ts'
import { accountRoutes } from './roster/account-routes.ts'
import { entryRoutes } from './roster/entry-routes.ts'
import { peopleRoutes } from './roster/people-routes.ts'
import { personRoutes } from './roster/person-routes.ts'
import { secondFactorRoutes } from './second-factor/routes.ts'
import type { Doors } from './sessions/doors.ts'
import { serveSessions } from './sessions/scopes.ts'
import { directorySettingsRoutes } from './settings/directory-routes.ts'
import { mailSettingsRoutes } from './settings/mail-routes.ts'
import { settingsRoutes } from './settings/routes.ts'
import { signInSettingsRoutes } from './settings/sign-in-routes.ts'
import { setupRoutes } from './setup/routes.ts'
import { signInRoutes } from './sign-in/routes.ts'
import { optOutRoutes } from './sign-up/opt-out-routes.ts'
import { joinRoutes } from './sign-up/routes.ts'
import { doorsOf } from './sso/doors.ts'
import { logoutRoutes } from './sso/logout-routes.ts'
import { ssoRoutes } from './sso/routes.ts'
import { teamRoutes } from './teams/routes.ts'
import { requireDeclaredAccess } from './web/access.ts'
import { serveAssets } from './web/assets.ts'
import { trustOf } from './web/client-address.ts'
import type { Deps } from './web/deps.ts'
import { serveErrors } from './web/errors.ts'
import { acceptForms, parseQuery } from './web/forms.ts'
import { watchHandlers } from './web/handlers.ts'
import { type LogTarget, loggerOptions } from './web/logging.ts'
import { servePages } from './web/pages.ts'
import { routedPath } from './web/paths.ts'
import { guardRequests } from './web/security.ts'

export interface AppOptions {
  /** The one-time setup token, printed at start. */
  setupToken: string
  logTarget?: LogTarget
}

/** The whole web application, ready to listen or to be asked with `inject`. */
export async function buildApp(deps: Deps, options: AppOptions): Promise<FastifyInstance> {
  const doors = doorsOf(deps)
  const app = await withoutRoutes(deps, doors, options.logTarget)

  operatorRoutes(app, deps)
  setupRoutes(app, deps, options.setupToken)
  signInRoutes(app, deps, doors)
  meRoutes(app, deps)
  secondFactorRoutes(app, deps, doors)
  dashboardRoutes(app, deps)
  inviteRoutes(app, deps)
  await app.register(scope => bulkRoutes(scope, deps))
  batchesRoutes(app, deps)
  batchRoutes(app, deps)
  controlRoutes(app, deps)
  groupsRoutes(app, deps)
  leaversRoutes(app, deps)
  entriesRoutes(app, deps)
  groupRoutes(app, deps)
  runRoutes(app, deps)
  selectionRoutes(app, deps)
  peopleRoutes(app, deps)
  personRoutes(app, deps)
  accessRoutes(app, deps)
  entryRoutes(app, deps)
  accountRoutes(app, deps)
  teamRoutes(app, deps)
  invitationRoutes(app, deps)
  activityRoutes(app, deps)
  joinRoutes(app, deps, doors)
  ssoRoutes(app, deps)
  await app.register(scope => logoutRoutes(scope, deps))
  await app.register(scope => optOutRoutes(scope, deps))
  settingsRoutes(app, deps)
  mailSettingsRoutes(app, deps)
  directorySettingsRoutes(app, deps)
  signInSettingsRoutes(app, deps)
  if (!deps.config.smtp) outboxRoutes(app, deps, rolesBehind)
  return app
}

/** What every request goes through. */
async function withoutRoutes(deps: Deps, doors: Doors, logTarget: LogTarget | undefined): Promise<FastifyInstance> {
  const { config } = deps
  const app = Fastify({
    logger: loggerOptions(config.logLevel, logTarget),
    trustProxy: trustOf(config.trustProxy),
    bodyLimit: 64 * 1024,
    requestTimeout: 0,
    connectionTimeout: 0,
    return503OnClosing: false,
    http: { headersTimeout: 5000, connectionsCheckingInterval: 1000 },
    rewriteUrl: routedPath,
    // no limit is needed: Node limits a request's headers to 16 kB, and a parameter too long for an id is not found
    routerOptions: { querystringParser: parseQuery, maxParamLength: 65_536 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } }
  })
  requireDeclaredAccess(app)
  watchHandlers(app)
  await acceptForms(app)
  serveErrors(app)
  guardRequests(app, config.baseUrl)
  await serveSessions(app, deps, doors)
  await servePages(app, await serveAssets(app))
  return app
}

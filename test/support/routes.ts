/** The application's own list of its routes, with addresses that can be requested. */
import type { FastifyInstance } from 'fastify'
import { optOutToken } from '../../src/lib/secrets/token.ts'
import { type Fields, goodPassword, secretKey, setupToken, type TestApp } from './app.ts'
import { addGroup } from './groups.ts'
import { inviteOne, one, sql } from './people.ts'

export interface TestRoute {
  method: string
  /** As the application declares it. */
  pattern: string
  /** With its parameters filled in. */
  url: string
  access: string
}

/** The values of path parameters, by the folder of the route. */
export type Rows = Record<string, string | number>

/** Every route; its parameters are those of `rows`. */
export function routesOf(app: FastifyInstance, rows: Rows): TestRoute[] {
  return app.declaredRoutes.map(({ method, url: pattern, config }) => {
    const folder = pattern.split('/')[1]!
    const url = pattern
      .replace(/:(id|token|name)(\([^)]*\))?/, () => String(rows[folder] ?? `no-${folder}`))
      .replace(/:(run|person|session)\b/, (_, name) => String(rows[name] ?? `no-${name}`))
    return { method, pattern, url, access: config.access! }
  })
}

export const writes = (routes: TestRoute[]) => routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD')
export const reads = (routes: TestRoute[]) => routes.filter(({ method }) => method === 'GET')

/** Ids that do not exist. */
export const unknownRows: Rows = {
  ...{ people: 987654321, invitations: 987654321, batches: 987654321, outbox: 987654321, me: 987654321 },
  ...{ groups: 987654321, teams: 987654321, run: 987654321, person: 987654321 },
  ...{ session: 987654321, forgotten: 'A'.repeat(43), 'sign-in': 'A'.repeat(43) },
  ...{ join: 'A'.repeat(43), unsubscribe: `987654321.${'A'.repeat(43)}`, assets: 'none.css' }
}

/** An invited person, with invitation, batch and email; none of it answered yet. */
export async function realRows({ app, db, ids, work }: TestApp): Promise<Rows & { join: string }> {
  const { personId, invitationId, token } = await inviteOne(db, ids.ben, 'real@larkfield.example')
  await work()
  const { batch, mail } = await one<{ batch: number; mail: number }>(
    db,
    sql`select batch_id as batch, id as mail from deliveries where person_id = ${personId}`
  )
  const icons = (await app.inject({ url: '/sign-in', headers: { host: 'localhost:3000' } })).body
  const group = await addGroup(db, 'Real group', [{ email: 'member@larkfield.example', department: 'Platform' }])
  const { run } = await one<{ run: string }>(
    db,
    sql`select last_run_id as run from directory_groups where id = ${group.id}`
  )
  return {
    ...{ groups: group.id, teams: group.teamId, run, person: group.people.member!, session: 987654321 },
    ...{ forgotten: 'A'.repeat(43), 'sign-in': 'A'.repeat(43) },
    ...{ people: personId, invitations: invitationId, batches: batch, outbox: mail, me: 987654321, join: token },
    ...{ unsubscribe: optOutToken(secretKey, personId), assets: /\/assets\/(app-[^"]+\.css)/.exec(icons)![1]! }
  }
}

const switches = { starttls: 'off', nested: 'on', allow_plain: 'off', interval_minutes: '60' }

/** A form of each route that accepts one, as its page would send it. Other routes accept an empty one. */
export const forms: Record<string, Fields> = {
  '/setup': {
    ...{ token: setupToken, organization: 'Larkfield', domains: 'larkfield.example' },
    ...{ name: 'Ada', email: 'ada@larkfield.example', password: goodPassword }
  },
  '/sign-in': { email: 'nobody@larkfield.example', password: goodPassword, next: '/people' },
  '/me/second-factor': { act: 'start' },
  '/me/passkeys': { act: 'rename', id: '987654321', name: '' },
  '/forgotten': { email: 'nobody@larkfield.example' },
  '/forgotten/:token': { password: goodPassword },
  '/me': { name: 'Ada', theme: 'system', time_zone: 'Europe/Berlin', shortcuts: 'on' },
  '/invite': { email: ['', '', '', '', ''] },
  '/invite/check': { email: 'kim@larkfield.example' },
  '/groups': { group: [] },
  '/groups/leavers/approval': { until: '1' },
  '/groups/:id/selections': { by: 'department', section: 'Platform' },
  '/groups/:id/review': { by: 'department', section: 'Platform' },
  '/groups/:id/invitations': { selection: '987654321' },
  '/groups/:id/removal': { team: 'keep' },
  '/teams': { name: '' },
  '/teams/:id/name': { name: 'Another' },
  '/teams/:id/members': { email: 'dan@larkfield.example' },
  '/people/:id/role': { role: 'member' },
  '/batches/:id/corrections': { line: '1', 'address-1': 'one@larkfield.example' },
  '/join/:token': { name: 'Nora', password: goodPassword },
  '/unsubscribe/:token': { 'List-Unsubscribe': 'One-Click' },
  '/settings/organization': {
    ...{ organization: 'Larkfield', domains: 'larkfield.example' },
    ...{ continue_url: '', invitation_days: '14' }
  },
  '/settings/directory': { url: 'ldap://127.0.0.1:3', base_dn: 'dc=example', ...switches },
  '/settings/directory/test': { url: 'ldap://127.0.0.1:3', base_dn: 'dc=example', ...switches },
  '/settings/sign-in': { second_factor: 'off' },
  '/settings/mail/copy': { act: 'neither' },
  '/settings/mail/test': { to: 'another@larkfield.example' },
  '/settings/mail': { mails_per_second: '', mails_per_second_per_domain: '', keep_lines_days: '90' }
}

/** These may appear more than once. */
export const repeatable = [
  ...['email of /invite', 'team of /invite', 'line of /batches/:id/corrections', 'group of /groups'],
  ...['selections', 'review'].flatMap(path =>
    ['member', 'section', 'except', 'open', 'after', 'ticked', 'ticked_section'].map(
      name => `${name} of /groups/:id/${path}`
    )
  )
]

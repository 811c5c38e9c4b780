import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { type DirectoryState, readDirectory } from '../directory/settings.ts'
import type { TestStep, TestStepName } from '../ldap/directory.ts'
import { openDirectory } from '../ldap/open-directory.ts'
import { keysIn } from '../lib/known.ts'
import { directorySignInOn } from '../oidc/organization-sign-in.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { type FieldErrors, form, optionalField } from '../web/forms.ts'
import { changeDirectory } from './change-directory.ts'
import { type DirectoryField, type DirectoryFields, lockedBy, lockOf, readForm, valuesOf } from './directory-form.ts'

const body = form({
  url: optionalField(),
  starttls: optionalField(),
  ca: optionalField(),
  allow_plain: optionalField(),
  bind_dn: optionalField(),
  bind_password: optionalField(),
  base_dn: optionalField(),
  people_filter: optionalField(),
  group_filter: optionalField(),
  nested: optionalField(),
  attributes: optionalField(),
  exclusions: optionalField(),
  interval_minutes: optionalField(),
  deactivate_leavers: optionalField()
})
type Fields = Static<typeof body>

export function directorySettingsRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const options = { config: { access: 'owner' }, schema: { body } } as const

  app.get('/settings/directory', { config: { access: 'owner' } }, async (_request, reply) => {
    return directoryPage(deps, reply, await readDirectory(deps), {})
  })

  app.post<{ Body: Fields }>('/settings/directory', options, async (request, reply) => {
    const state = await readDirectory(deps)
    const typed = fieldsOf(request)
    const read = readForm(typed, state)
    if (Object.keys(read.errors).length > 0) return directoryPage(deps, reply, state, { typed, errors: read.errors })
    await changeDirectory(deps, viewerOf(request).id, read, state)
    const { problem } = await readDirectory(deps)
    const next = problem === null ? 'Test it, then choose groups at Directory groups' : problem
    return redirectWith(reply, db, '/settings/directory', `Saved. ${next}.`)
  })

  app.post<{ Body: Fields }>('/settings/directory/test', options, async (request, reply) => {
    const state = await readDirectory(deps)
    const typed = fieldsOf(request)
    const { errors, settings } = readForm(typed, state)
    if (Object.keys(errors).length > 0) return directoryPage(deps, reply, state, { typed, errors })
    return directoryPage(deps, reply, state, { typed, steps: await openDirectory(settings).test() })
  })
}

/** Without what was not sent, and with the line ends that the rest of Rollcall uses. */
function fieldsOf({ body }: { body: Fields }): DirectoryFields {
  const sent = Object.entries(body).filter((entry): entry is [DirectoryField, string] => entry[1] !== undefined)
  return Object.fromEntries(sent.map(([name, value]) => [name, value.replaceAll('\r\n', '\n')]))
}

const stepNames: Record<TestStepName, string> = {
  resolve: 'Name',
  connect: 'Connection',
  tls: 'Encryption',
  bind: 'Sign-in',
  base: 'Base',
  vendor: 'Kind of server',
  groups: 'Groups',
  people: 'People'
}

interface Answer {
  typed?: DirectoryFields
  errors?: FieldErrors
  steps?: TestStep[]
}

async function directoryPage(
  deps: Deps,
  reply: FastifyReply,
  state: DirectoryState,
  { typed = {}, errors = {}, steps }: Answer
) {
  const isWrong = Object.keys(errors).length > 0
  const values = { ...valuesOf(state), ...typed, bind_password: '' }
  const fields = keysIn(lockOf)
  const isPart = reply.request.headers['hx-request-type'] === 'partial'
  return reply.page(
    'settings/directory',
    { title: isWrong ? 'Error: Directory' : 'Directory', section: 'Settings', status: isWrong ? 422 : 200 },
    {
      values,
      errors,
      isOpen: Object.fromEntries(fields.map(field => [field, !lockedBy(field, state)])),
      locked: fields.flatMap(field => lockedFact(field, lockedBy(field, state), values)),
      hasPassword: state.hasPassword && !state.isPasswordSealed,
      problem: state.settings.url === '' ? null : state.problem,
      isSignInOn: await directorySignInOn(deps),
      steps: steps?.map(step => ({ ...step, name: stepNames[step.name] })) ?? null,
      faults: isPart ? Object.values(errors) : []
    }
  )
}

function lockedFact(field: DirectoryField, variable: string | undefined, values: Record<DirectoryField, string>) {
  if (variable === undefined) return []
  const shown = field === 'bind_password' ? 'kept secret' : field === 'ca' && values.ca ? 'given' : values[field]
  return [{ name: variable, value: shown || 'not set' }]
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bindTo, type EntryOutcome, letPasswordIn, separate } from '../entries/change-entry.ts'
import { takeAddress } from '../entries/take-address.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, filters, form, idParams, optionalField } from '../web/forms.ts'
import { entryPage } from './entry-page.ts'
import { noPerson, personPage } from './person-page.ts'

const querystring = filters({ q: optionalField() })

interface ById {
  Params: { id: string }
}
interface WithQuery extends ById {
  Querystring: { q?: string }
}

export function entryRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const byAdmin = { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } } as const

  app.get<WithQuery>(
    '/people/:id/entry',
    { config: { access: 'auditor' }, schema: { params: idParams, querystring } },
    (request, reply) => entryPage(deps, request, reply)
  )

  app.post<ById>('/people/:id/entry/removal', byAdmin, async (request, reply) => {
    const problem = problemOf(await separate(db, viewerOf(request).id, Number(request.params.id)))
    if (problem) return personPage(deps, request, reply, { entry: problem })
    return done(deps, request, reply, 'Separated from the directory entry. Every session has ended.')
  })

  app.post<ById>(
    '/people/:id/entry/password',
    { config: { access: 'owner' }, schema: { params: idParams, body: form({}) } },
    async (request, reply) => {
      const problem = problemOf(await letPasswordIn(db, viewerOf(request).id, Number(request.params.id)))
      if (problem) return personPage(deps, request, reply, { entry: problem })
      return done(deps, request, reply, 'This person can now sign in with the directory’s password.')
    }
  )

  bindRoute(app, deps)
  addressRoute(app, deps)
}

function bindRoute(app: FastifyInstance, deps: Deps): void {
  const entryBody = form({ entry: field(), holder: field() })
  app.post<WithQuery & { Body: { entry: string; holder: string } }>(
    '/people/:id/entry',
    { config: { access: 'admin' }, schema: { params: idParams, querystring, body: entryBody } },
    async (request, reply) => {
      const { entry, holder } = request.body
      if (entry === '' || entry.length > 1000 || (holder !== 'same' && holder !== 'other'))
        return entryPage(
          deps,
          request,
          reply,
          'Choose an entry, and whether it is the same person. Nothing was changed.'
        )
      const result = await bindTo(deps, viewerOf(request).id, Number(request.params.id), entry, holder)
      const problem = problemOf(result)
      if (problem) return entryPage(deps, request, reply, problem)
      return done(
        deps,
        request,
        reply,
        holder === 'same' ? 'Bound to the entry.' : 'Handed over. Every former session has ended.'
      )
    }
  )
}

function addressRoute(app: FastifyInstance, deps: Deps): void {
  app.post<ById & { Body: { address: string } }>(
    '/people/:id/address',
    { config: { access: 'admin' }, schema: { params: idParams, body: form({ address: field() }) } },
    async (request, reply) => {
      const result = await takeAddress(deps.db, viewerOf(request).id, Number(request.params.id), request.body.address)
      if (result.outcome !== 'done') return refuseAddress(deps, request, reply, result)
      const mailed = result.isMailed ? ' A new invitation is being sent there.' : ''
      return done(deps, request, reply, `The address is ${result.address} now.${mailed}`)
    }
  )
}

function done({ db, wake }: Deps, request: FastifyRequest<ById>, reply: FastifyReply, text: string) {
  wake()
  return redirectWith(reply, db, `/people/${request.params.id}`, text)
}

function refuseAddress(
  deps: Deps,
  request: FastifyRequest<ById>,
  reply: FastifyReply,
  result: Exclude<Awaited<ReturnType<typeof takeAddress>>, { outcome: 'done' }>
) {
  if (result.outcome === 'unknown') throw noPerson()
  if (result.outcome === 'role-too-small') throw tooSmall()
  const problems = {
    changed: 'The address in the directory has changed. Check it again; nothing was changed.',
    foreign:
      'That address is not in one of the organization’s domains, so no invitation can go there. Nothing was changed.',
    'address-taken': 'Another person has that address here. Change or separate that person first; nothing was changed.'
  }
  return personPage(deps, request, reply, { entry: problems[result.outcome] })
}

const tooSmall = () => new Refusal(403, 'Only an owner may do this with admins and owners.')

/** Null: success. */
function problemOf(result: EntryOutcome): string | null {
  switch (result.outcome) {
    case 'done':
      return null
    case 'unknown':
      throw noPerson()
    case 'role-too-small':
      throw tooSmall()
    case 'wrong-state':
      throw new Refusal(409, 'This does not fit the entry that the person has now. Nothing was changed.')
    case 'last-owner':
      return 'This is the only owner who could sign in. Make another person an owner first.'
    case 'no-entry':
      return 'That entry is not in the directory, or Rollcall may not see it. Nothing was changed.'
    case 'entry-unusable':
      return 'That entry is disabled or excluded. Nothing was changed.'
    case 'entry-taken':
      return `That entry belongs to another person here: see /people/${result.personId}. Separate that person first.`
    case 'unavailable':
      return `The directory does not answer: ${result.reason}. Nothing was changed.`
  }
}

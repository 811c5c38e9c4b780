import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RoleLost } from '../../lib/role.ts'
import { counted } from '../../lib/words.ts'
import { organizationOf } from '../../organization/store.ts'
import { findTeams } from '../../teams/store.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { filters } from '../../web/forms.ts'
import { readUpload, UploadCut } from '../../web/uploads/read-upload.ts'
import { organizationDomains } from '../recipient.ts'
import { domainsInWords } from './domains-in-words.ts'
import { discard, receiveList, release } from './receive.ts'
import { teamField } from './team-field.ts'

const fileBytes = 2 * 1024 ** 3
const actions = ['send', 'check'] as const
const form = { file: 'file', fields: ['action'], repeatable: ['team'], fileBytes }
/** A refusal is not a lost connection: it leaves no incomplete batch. */
const isRefusal = (error: unknown) => error instanceof Refusal && !(error instanceof UploadCut)

/** Register in a scope of its own: only here may a form be multipart. */
export async function bulkRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  const { db, wake } = deps
  app.removeAllContentTypeParsers()
  await app.register(multipart)

  app.get('/bulk', { config: { access: 'admin' }, schema: { querystring: filters({}) } }, (_request, reply) =>
    bulkPage(deps, reply)
  )

  app.post('/bulk', { config: { access: 'admin', isUpload: true } }, async (request, reply) => {
    const organization = await organizationOf(db)
    const domains = organizationDomains(organization.domains)
    const { fields, taken } = await readUpload(request, form, async file =>
      file.name === '' ? undefined : receiveList(db, viewerOf(request).id, { ...file, isRefusal }, domains)
    )
    if (taken?.outcome === 'refused') return bulkPage(deps, reply, { file: taken.reason })
    const typed = fields.team ?? []
    const teams = await findTeams(db, typed)
    const action = actions.find(each => each === fields.action?.[0])
    if (!action || teams.problem !== null || !taken) {
      if (taken) await discard(db, taken.batchId)
      return bulkPage(deps, reply, problemWith(action, teams.problem), typed)
    }
    const { batchId } = taken
    await release(db, viewerOf(request).id, batchId, { action, teamIds: teams.ids }).catch(async error => {
      if (error instanceof RoleLost) await discard(db, batchId)
      throw error
    })
    wake()
    return reply.redirect(`/batches/${batchId}`, 303)
  })
}

type Problem = { file?: string; action?: string; team?: string }

/** If action and team are valid, what is missing is the file. */
function problemWith(action: string | undefined, team: string | null): Problem {
  if (action === undefined) return { action: 'Choose Send invitations or Check only.' }
  return team === null ? { file: 'Choose a .txt file.' } : { team }
}

async function bulkPage({ db }: Deps, reply: FastifyReply, errors: Problem = {}, typed: string[] = []) {
  const organization = await organizationOf(db)
  const isWrong = Object.keys(errors).length > 0
  return reply.page(
    'batches/bulk',
    { title: isWrong ? 'Error: Bulk invite' : 'Bulk invite', section: 'Bulk invite', status: isWrong ? 422 : 200 },
    {
      errors: Object.entries(errors).map(([name, text]) => ({ href: name === 'team' ? '#team' : '#file', text })),
      fileError: errors.file ?? null,
      team: await teamField(db, { typed, error: errors.team ?? null }),
      domains: domainsInWords(organization.domains),
      days: counted(organization.invitationDays, 'day'),
      maxBytes: fileBytes
    }
  )
}

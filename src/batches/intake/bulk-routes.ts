import type { FastifyInstance, FastifyReply } from 'fastify'
import { readOrganization } from '../../people/store.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { filters } from '../../web/forms.ts'
import { readUpload, UploadCut } from '../../web/uploads/read-upload.ts'
import { organizationDomains } from '../recipient.ts'
import { discard, release, takeIn } from './take-in.ts'

const fileBytes = 2 * 1024 ** 3
const form = { file: 'file', fields: ['action'], repeatable: ['team'], fileBytes }
/** Somebody who is told "no" is not somebody whose line was cut. */
const isRefusal = (error: unknown) => error instanceof Refusal && !(error instanceof UploadCut)

/** Register in a scope of its own: only here a form may be multipart. */
export async function bulkRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  const { db, wake } = deps
  app.removeAllContentTypeParsers()
  // the body is read by the handler, while it arrives
  app.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null))

  app.get('/bulk', { config: { access: 'admin' }, schema: { querystring: filters({}) } }, (_request, reply) =>
    bulkPage(deps, reply)
  )

  app.post('/bulk', { config: { access: 'admin', isUpload: true } }, async (request, reply) => {
    const organization = (await readOrganization(db))!
    const domains = organizationDomains(organization.domains)
    const upload = await readUpload(request.raw, form, async file =>
      file.name === '' ? undefined : takeIn(db, request.viewer!.id, { ...file, isRefusal }, domains)
    )
    const { taken } = upload
    if (taken?.outcome === 'refused') return bulkPage(deps, reply, { file: taken.reason })
    const problem = problemWith(upload.fields) ?? (taken ? undefined : { file: 'Choose a .txt file.' })
    if (problem) {
      if (taken) await discard(db, taken.batchId)
      return bulkPage(deps, reply, problem)
    }
    await release(db, taken!.batchId, upload.fields.action![0] as 'send' | 'check')
    wake()
    return reply.redirect(`/batches/${taken!.batchId}`, 303)
  })
}

type Problem = { file?: string; action?: string; team?: string }

function problemWith({ action = [], team = [] }: Record<string, string[]>): Problem | undefined {
  if (!['send', 'check'].includes(action[0] ?? '')) return { action: 'Choose Send invitations or Check only.' }
  return team.some(Boolean) ? { team: 'There is no such team.' } : undefined
}

async function bulkPage({ db }: Deps, reply: FastifyReply, errors: Problem = {}) {
  const organization = (await readOrganization(db))!
  const isWrong = Object.keys(errors).length > 0
  return reply.page(
    'batches/bulk',
    { title: isWrong ? 'Error: Bulk invite' : 'Bulk invite', section: 'Bulk invite', status: isWrong ? 422 : 200 },
    {
      errors: Object.values(errors).map(text => ({ href: '#file', text })),
      fileError: errors.file ?? null,
      domains: organization.domains.join(', '),
      days: organization.invitationDays
    }
  )
}

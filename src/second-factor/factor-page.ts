import type { FastifyReply, FastifyRequest } from 'fastify'
import { organizationOf } from '../organization/store.ts'
import { personOf } from '../people/store.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { needsSecondFactor, readRules } from '../sessions/rules-store.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import type { FieldErrors } from '../web/forms.ts'
import { countRecoveryCodes, findUnconfirmed } from './factor-store.ts'
import { qrPath } from './qr.ts'
import { openTotp } from './sealed-totp.ts'
import { totpUri } from './totp.ts'

export async function myFactorPage(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: FieldErrors = {},
  act = ''
) {
  const { db } = deps
  const viewer = viewerOf(request)
  const [person, factors, rules, codesLeft, sealed] = await Promise.all([
    personOf(db, viewer.id),
    factorsOf(db, viewer.id),
    readRules(db),
    countRecoveryCodes(db, viewer.id),
    findUnconfirmed(db, viewer.id)
  ])
  const secret = sealed && openTotp(deps, viewer.id, sealed)
  const isWrong = Object.keys(errors).length > 0
  return reply.page(
    'second-factor/index',
    { title: isWrong ? 'Error: Second factor' : 'Second factor', status: isWrong ? 422 : 200 },
    {
      ...factors,
      isRequired: needsSecondFactor(rules, viewer.role),
      isMissing: viewer.needsFactor,
      hasPassword: person.passwordHash !== null,
      codesLeft,
      setup: secret === undefined ? null : await setupOf(deps, secret, viewer.email),
      email: viewer.email,
      errors,
      act
    }
  )
}

async function setupOf({ db }: Deps, secret: string, email: string) {
  const { organization } = await organizationOf(db)
  // a colon separates issuer and account
  const uri = totpUri(secret, `Rollcall ${organization.replaceAll(':', ' ')}`, email)
  return { ...qrPath(uri), uri, secret: secret.replace(/(.{4})(?!$)/g, '$1 ') }
}

/** Shows new recovery codes, once. */
export function codesPage(request: FastifyRequest, reply: FastifyReply, codes: string[], isNew: boolean) {
  const { email } = viewerOf(request)
  return reply.page('second-factor/codes', { title: 'Recovery codes' }, { codes, isNew, email })
}

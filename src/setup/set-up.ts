import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import type { Address } from '../lib/addresses/email-address.ts'
import { hashPassword } from '../lib/secrets/password.ts'
import { inPasswordLine } from '../lib/secrets/password-line.ts'
import { insertOrganization } from '../organization/store.ts'
import { insertUser } from '../people/store.ts'

export interface FirstOwner {
  organization: string
  domains: string[]
  name: string
  address: Address
  password: string
  network?: string
  over?: AbortSignal
}

/** Creates the organization and its first owner, once: the later of two requests learns that it is already set up. */
export async function setUp(
  db: Database,
  first: FirstOwner
): Promise<{ outcome: 'set-up'; ownerId: number } | { outcome: 'already' }> {
  const turn = { asker: 'sign-up' as const, network: first.network ?? 'unknown', signal: first.over }
  const passwordHash = await inPasswordLine(turn, () => hashPassword(first.password))
  return transaction(db, async tx => {
    if (!(await insertOrganization(tx, first.organization, first.domains))) return { outcome: 'already' }
    const { address: email, key: addressKey } = first.address
    const ownerId = await insertUser(tx, { email, addressKey, name: first.name, role: 'owner', passwordHash })
    await recordEvent(tx, { kind: 'organization-set-up', actorId: ownerId, details: { domains: first.domains.length } })
    return { outcome: 'set-up', ownerId }
  })
}

import type { Db } from '../db/client.ts'
import { type Connection, type OidcDeps, sealClientSecret } from '../oidc/settings.ts'
import {
  deleteProviderRow,
  type NewProvider,
  type Place,
  type ProviderRow,
  places,
  writeProviderRow
} from '../oidc/settings-store.ts'
import type { Plan } from './provider-plan.ts'
import type { ReadSignIn, SignInState } from './sign-in-form.ts'

export async function applyPlan(
  deps: OidcDeps,
  tx: Db,
  { candidate, drop, turn }: Plan,
  { details, connection }: ReadSignIn,
  { provider, rows }: SignInState
): Promise<void> {
  if (provider.isLocked) return keepBesideEnvironment(tx, rows.inForce, details, connection ?? provider.inForce)
  const write = (place: Place, of: Connection, testedAt: Date | null) =>
    writeProviderRow(tx, place, { ...rowOf(deps, place, of), ...details, testedAt })
  const { inForce, candidate: waiting } = provider
  if (turn === 'on' && waiting) {
    await write('inForce', waiting, rows.candidate?.testedAt ?? null)
    return deleteProviderRow(tx, 'candidate')
  }
  if (drop) await deleteProviderRow(tx, 'candidate')
  else if (candidate) await write('candidate', candidate, null)
  else if (waiting) await write('candidate', waiting, rows.candidate?.testedAt ?? null)
  if (turn === 'off' && inForce) {
    if (!candidate && (!waiting || drop)) await write('candidate', inForce, rows.inForce?.testedAt ?? null)
    await deleteProviderRow(tx, 'inForce')
  } else if (inForce) await write('inForce', inForce, rows.inForce?.testedAt ?? null)
}

function rowOf({ secretKey }: OidcDeps, place: Place, connection: Connection) {
  const { issuer, clientId, clientSecret, algorithm } = connection
  const owner = { id: places[place], clientId, secretFor: issuer }
  return {
    issuer,
    clientId,
    algorithm,
    secretFor: issuer,
    clientSecret: sealClientSecret(secretKey, owner, clientSecret)
  }
}

/** The environment says how the provider is reached; the row keeps the rest, and is not in force without it. */
async function keepBesideEnvironment(
  tx: Db,
  row: ProviderRow | undefined,
  details: ReadSignIn['details'],
  connection: Connection | null
): Promise<void> {
  if (!connection) return
  const { issuer, clientId, algorithm } = connection
  const isOther = row?.algorithm !== algorithm
  const kept: Pick<NewProvider, 'issuer' | 'clientId' | 'clientSecret' | 'secretFor' | 'testedAt'> = row ?? {
    issuer,
    clientId,
    clientSecret: null,
    secretFor: null,
    testedAt: null
  }
  await writeProviderRow(tx, 'inForce', {
    ...kept,
    ...details,
    algorithm,
    testedAt: isOther ? null : (kept.testedAt ?? null)
  })
}

/** The server's half of WebAuthn. The library is 25 packages, so it is loaded at first use. */
import { createHash } from 'node:crypto'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { PasskeySite } from '../lib/passkey-site.ts'
import type { NewPasskey, PasskeyRow } from './passkeys-store.ts'

/** Ed25519, ES256, RS256: keys that every Node can read. */
const algorithms = [-8, -7, -257]
const library = () => import('@simplewebauthn/server')

/** A person's id for authenticators, which return it at sign-in. */
const handleOf = (personId: number) => new TextEncoder().encode(`person-${personId}`)

export const challengeHash = (challenge: string) => createHash('sha256').update(challenge).digest()

interface Owner {
  id: number
  email: string
  name: string
  organization: string
}

export async function creationOptions({ rpId }: PasskeySite, owner: Owner, known: PasskeyRow[]) {
  return (await library()).generateRegistrationOptions({
    rpName: `Rollcall ${owner.organization}`,
    rpID: rpId,
    userName: owner.email,
    userDisplayName: owner.name,
    userID: handleOf(owner.id),
    attestationType: 'none',
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: known.map(({ credentialId }) => ({ id: credentialId.toString('base64url') })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' }
  })
}

export async function requestOptions({ rpId }: PasskeySite) {
  return (await library()).generateAuthenticationOptions({ rpID: rpId, userVerification: 'required' })
}

/** What a browser sends: the credential as JSON, and the challenge that it says it signed. */
export interface Answer<T> {
  credential: T
  challenge: string
}

type Base = Pick<RegistrationResponseJSON, 'id' | 'rawId' | 'type'> & { response: { clientDataJSON: string } }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function isCredential<T extends Base>(value: unknown, parts: readonly (string & keyof T['response'])[]): value is T {
  if (!isObject(value) || !isObject(value.response)) return false
  const { id, rawId, type, response } = value
  return (
    typeof id === 'string' &&
    id === rawId &&
    type === 'public-key' &&
    parts.every(each => typeof response[each] === 'string')
  )
}

const isNew = (value: unknown): value is RegistrationResponseJSON =>
  isCredential<RegistrationResponseJSON>(value, ['clientDataJSON', 'attestationObject'])
const isUse = (value: unknown): value is AuthenticationResponseJSON =>
  isCredential<AuthenticationResponseJSON>(value, ['clientDataJSON', 'authenticatorData', 'signature'])

export const readNew = (text: string) => read(text, isNew)
export const readUse = (text: string) => read(text, isUse)

/** Undefined for what is unreadable, and for a page in a frame of another site: the library lets those pass. */
function read<T extends Base>(text: string, isRight: (value: unknown) => value is T): Answer<T> | undefined {
  try {
    const credential: unknown = JSON.parse(text)
    if (!isRight(credential)) return undefined
    const client: unknown = JSON.parse(Buffer.from(credential.response.clientDataJSON, 'base64url').toString('utf8'))
    if (!isObject(client) || typeof client.challenge !== 'string') return undefined
    const isFramed = client.crossOrigin === true || client.topOrigin !== undefined
    return isFramed ? undefined : { credential, challenge: client.challenge }
  } catch {
    return undefined
  }
}

/** The new passkey, or undefined when it is not proved. */
export async function verifyNew(
  { rpId, origin }: PasskeySite,
  { credential: response, challenge }: Answer<RegistrationResponseJSON>
): Promise<Omit<NewPasskey, 'personId' | 'name'> | undefined> {
  const { verifyRegistrationResponse } = await library()
  const result = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms
  }).catch(() => undefined)
  if (!result?.verified) return undefined
  const { id, publicKey, counter, transports = [] } = result.registrationInfo.credential
  return { credentialId: Buffer.from(id, 'base64url'), publicKey: Buffer.from(publicKey), counter, transports }
}

/** The new counter, or undefined when the answer does not come from this passkey of its person. */
export async function verifyUse(
  { rpId, origin }: PasskeySite,
  { credential: response, challenge }: Answer<AuthenticationResponseJSON>,
  { personId, publicKey, counter }: PasskeyRow
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await library()
  const result = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: true,
    credential: { id: response.id, publicKey: new Uint8Array(publicKey), counter }
  }).catch(() => undefined)
  const { userHandle } = response.response
  const isTheirs = userHandle === undefined || userHandle === Buffer.from(handleOf(personId)).toString('base64url')
  return result?.verified && isTheirs ? result.authenticationInfo.newCounter : undefined
}

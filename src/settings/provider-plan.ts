import { type Connection, fingerprintOf, type Provider } from '../oidc/settings.ts'
import type { FieldErrors } from '../web/forms.ts'
import type { ReadSignIn, SignInFields, SignInState } from './sign-in-form.ts'

export interface Plan {
  errors: FieldErrors
  /** To be saved as the candidate. */
  candidate: Connection | undefined
  drop: boolean
  turn: 'on' | 'off' | undefined
  /** The connection in force afterwards. */
  after: Connection | null
}

const testFirst =
  'Save these settings, then select “Test sign-in”: the provider can be turned on once a test with them has succeeded.'

/** What becomes of the row in force and of the candidate. Saving tested settings once more turns them on. */
export function planOf(read: ReadSignIn, fields: SignInFields, { provider }: SignInState): Plan {
  const { inForce, candidate, isLocked } = provider
  const { connection, isRemoval, oidc } = read
  if (isLocked) return { errors: {}, candidate: undefined, drop: false, turn: undefined, after: inForce }
  const isTested = candidate?.isTested === true && (!connection || isSame(connection, candidate))
  const isBack = connection !== undefined && isSame(connection, inForce) && !isSame(connection, candidate)
  const isNew = connection !== undefined && !isBack && !isSame(connection, candidate)
  const isResaved = connection !== undefined && fields.oidc_issuer !== undefined && oidc === undefined
  const errors: FieldErrors = {}
  if (oidc === 'on' && (isNew || (candidate && !isTested && !isBack) || (!inForce && !candidate) || isRemoval))
    errors.oidc = testFirst
  const turnsOn = isTested && !isNew && !isBack && !isRemoval && (oidc === 'on' || isResaved)
  const turn = turnsOn ? 'on' : oidc === 'off' && inForce ? 'off' : undefined
  return {
    errors,
    candidate: isNew ? connection : undefined,
    drop: isRemoval || isBack,
    turn,
    after: afterOf(turn, candidate, inForce)
  }
}

const afterOf = (turn: Plan['turn'], candidate: Provider | null, inForce: Provider | null) =>
  turn === 'on' ? candidate : turn === 'off' ? null : inForce

const isSame = (one: Connection, other: Connection | null) =>
  other !== null && fingerprintOf(one) === fingerprintOf(other)

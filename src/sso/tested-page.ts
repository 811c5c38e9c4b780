/** What a test sign-in found: every claim, and what Rollcall would do with it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { recordEvent } from '../audit/store.ts'
import { transaction } from '../db/client.ts'
import type { AttemptRow } from '../oidc/attempts-store.ts'
import type { Claims, Groups } from '../oidc/identity.ts'
import { fingerprintOf, readProvider } from '../oidc/settings.ts'
import { lockProviders, markTested } from '../oidc/settings-store.ts'
import type { Answer } from '../oidc/sign-in.ts'
import { findPerson } from '../people/store.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { lockMapped, teamsNamed } from './claims.ts'
import { type Entering, foresee } from './enter.ts'

interface Tested {
  attempt: AttemptRow
  answer: Answer
  entering: Entering
}

/** Only for the owner who began the test; it signs no one in. */
export async function testedPage(deps: Deps, request: FastifyRequest, reply: FastifyReply, tested: Tested) {
  const { attempt, answer, entering } = tested
  const { viewer } = request
  if (viewer?.role !== 'owner' || viewer.id !== attempt.personId)
    throw new Refusal(403, 'Only the owner who started this test can finish it. Nothing was changed.')
  const { said, identity } = answer
  const would = await foreseen(deps, entering)
  const isCandidate = await noteTest(deps, viewer.id, attempt)
  return reply.page(
    'sso/tested',
    { title: 'Test sign-in', section: 'Settings' },
    {
      isCandidate,
      would,
      claims: claimsOf(said.claims, 'ID token').concat(claimsOf(said.userinfo, 'Userinfo')),
      groups: await groupsInWords(deps, identity.groups, entering)
    }
  )
}

async function noteTest(deps: Deps, actorId: number, { provider }: AttemptRow): Promise<boolean> {
  return transaction(deps.db, async tx => {
    await lockProviders(tx)
    const { candidate, isLocked } = await readProvider(deps, tx)
    const isCandidate = candidate !== null && fingerprintOf(candidate) === provider
    if (!isLocked) await markTested(tx, isCandidate ? 'candidate' : 'inForce')
    await recordEvent(tx, { kind: 'provider-tested', actorId })
    return isCandidate
  })
}

async function foreseen({ db }: Deps, entering: Entering): Promise<string> {
  const found = await foresee(db, { ...entering, invitationHash: null })
  const email = entering.identity.email ?? 'this account'
  if (found.outcome === 'new') return `${email} would join as a new member, because of its domain.`
  if (found.outcome !== 'found') return refusalInWords(found.outcome, email)
  const person = await findPerson(db, found.personId)
  const name = person?.name ?? person?.email ?? email
  if (person?.enrollment === 'signed-up')
    return found.account ? `This account signs in as ${name}.` : `This account would be linked to ${name} and sign in.`
  if (person?.enrollment === 'deactivated') return `${name} is deactivated and would be refused.`
  return person?.enrollment === 'invited'
    ? `${name} is invited: this sign-in would accept the invitation.`
    : `${name} is known but has no open invitation and would be refused.`
}

function refusalInWords(outcome: string, email: string): string {
  if (outcome === 'no-email') return 'It would be refused: the claim “email” is missing. Release it at the provider.'
  if (outcome === 'unverified')
    return `${email} would be refused: “email_verified” is missing or false. If the provider gives out addresses of a domain only to their owners, name the domain under “Trusted domains”.`
  if (outcome === 'unreadable-email') return `It would be refused: “${email}” cannot be read as an address.`
  return `${email} would be refused: this address is not invited.`
}

/** Tokens, hashes and times that say nothing to a reader are left out. */
const technical = new Set(['nonce', 'at_hash', 'c_hash', 's_hash', 'jti', 'exp', 'nbf'])

const claimsOf = (claims: Claims, source: string) =>
  Object.entries(claims)
    .filter(([name]) => !technical.has(name))
    .slice(0, 100)
    .map(([name, value]) => ({ name, source, value: textOf(value).slice(0, 500) }))

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

async function groupsInWords({ db }: Deps, groups: Groups, { provider }: Entering): Promise<string | null> {
  if ('values' in groups) {
    const mapped = await transaction(db, tx => lockMapped(tx, provider))
    const named = teamsNamed(mapped, groups.values, provider).map(({ name }) => name)
    return named.length > 0 ? `Teams: ${named.join(', ')}.` : 'None of the values in the groups claim names a team.'
  }
  const claim = `“${provider.groupsClaim ?? ''}”`
  const words = {
    off: null,
    absent: `The claim ${claim} is missing, so teams would stay as they are. Add it to the ID token at the provider.`,
    'too-many': `The provider left out ${claim} because this account is in too many groups. Send only the groups assigned to Rollcall.`,
    unreadable: `The claim ${claim} is not a list of texts, so teams would stay as they are.`
  }
  return words[groups.unknown]
}

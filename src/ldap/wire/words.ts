import { codeOf, messageOf } from '../../lib/errors.ts'
import { cutText } from '../../lib/text/cut.ts'
import { DirectoryProblem } from '../directory.ts'

/** Only a person with the right password learns of `expired` and `must-change`. */
export type BindReason = 'expired' | 'locked' | 'must-change'

const byPolicy: readonly BindReason[] = ['expired', 'locked', 'must-change']
const byData = new Map<string, BindReason>([
  ['532', 'expired'],
  ['773', 'must-change'],
  ['775', 'locked']
])
const policyReasons: Record<BindReason, [string, string]> = {
  expired: ['the password has expired', 'Give the account a new password, one that does not expire'],
  locked: ['the account is locked', 'Unlock the account'],
  'must-change': [
    'the password must be changed first',
    'Sign in to the directory as this account and change its password'
  ]
}

function reasonOf(code: number, serverText: string, policyError: number | undefined): BindReason | null {
  if (policyError !== undefined) return byPolicy[policyError] ?? null
  return byData.get(dataOf(code, serverText) ?? '') ?? null
}

export class RefusedOperation extends DirectoryProblem {
  override name = 'RefusedOperation'
  code: number
  /** Why a right password is not accepted, or none is now; null: the server does not say. */
  reason: BindReason | null
  matchedDn: string

  constructor(code: number, doing: string, serverText: string, matchedDn = '', policyError?: number) {
    const reason = reasonOf(code, serverText, policyError)
    const [what, advice] = (policyError !== undefined && reason && policyReasons[reason]) || meaningOf(code, serverText)
    const said = serverText ? ` The server says: ${oneLine(serverText)}` : ''
    super(`${doing}: ${what} (result ${code}).${said}`, advice)
    this.code = code
    this.reason = reason
    this.matchedDn = matchedDn
  }
}

const meanings = new Map<number, [string, string]>([
  [1, ['the server reports an operations error', 'Check the bind DN; Active Directory says this without a bind']],
  [2, ['the server calls the request a protocol error', 'Check that the address is an LDAP server']],
  [
    3,
    ['the server stopped at its time limit', 'Raise the time limit for this account, or narrow the base or the filter']
  ],
  [4, ['the server stopped at its size limit', 'Lift the size limit (also for paged results) for this account']],
  [8, ['the server requires a stronger way to sign in', 'Use ldaps:// or turn on StartTLS']],
  [10, ['the server refers us elsewhere', 'Enter the server that holds this base, or for Active Directory port 3268']],
  [
    11,
    [
      'the server stopped at an administrative limit',
      'Raise the look-through limit for this account, or index the attributes'
    ]
  ],
  [12, ['the server does not know a control that we need', 'Turn on paged results (RFC 2696) on the server']],
  [13, ['the server requires encryption', 'Use ldaps:// or turn on StartTLS']],
  [
    32,
    ['there is no such entry, or the account may not see it', 'Check the base DN, and what the bind account may read']
  ],
  [34, ['the server cannot read the DN', 'Check how the DN is written: cn=rollcall,ou=services,dc=example,dc=com']],
  [48, ['the entry has no password to sign in with', 'Choose another account to bind with']],
  [49, ['the DN or the password is wrong', 'Check the bind DN and enter the password again']],
  [50, ['the account may not do this', 'Give the bind account the right to read people and groups']],
  [51, ['the server is busy', 'Try again later']],
  [52, ['the server is unavailable', 'Try again later']],
  [53, ['the server is unwilling', 'Look into the server’s log: a locked account or a policy forbids it']]
])

/** Active Directory hides the reason of a refused bind in the text: "… data 52e, v4563". */
const bindReasons = new Map<string, [string, string]>([
  ['525', ['no such account', 'Check the bind DN']],
  ['52e', ['the password is wrong', 'Enter the password of the bind account again']],
  ['530', ['the account may not sign in at this hour', 'Lift the logon hours of the bind account']],
  ['531', ['the account may not sign in from here', 'Lift the workstation restriction of the bind account']],
  ['532', ['the password has expired', 'Give the bind account a new password, one that does not expire']],
  ['533', ['the account is disabled', 'Enable the bind account, or use another']],
  ['701', ['the account has expired', 'Extend the bind account']],
  ['773', ['the password must be changed first', 'Sign in as the bind account once and change its password']],
  ['775', ['the account is locked', 'Unlock the bind account']]
])

const dataOf = (code: number, serverText: string) =>
  code === 49 ? /\bdata ([0-9a-f]{3})\b/i.exec(serverText.slice(0, 500))?.[1]?.toLowerCase() : undefined

function meaningOf(code: number, serverText: string): [string, string | null] {
  const data = dataOf(code, serverText)
  return (data && bindReasons.get(data)) || meanings.get(code) || ['the server refused', 'Look into the server’s log']
}

const networkFaults = new Map<string, [string, string]>([
  ['ENOTFOUND', ['this name is unknown', 'Check the spelling of the host, and the DNS']],
  ['EAI_AGAIN', ['the name could not be looked up', 'Check the DNS of the machine that Rollcall runs on']],
  ['ECONNREFUSED', ['nothing is listening there', 'Check host and port: 389 for ldap://, 636 for ldaps://']],
  ['ECONNRESET', ['the connection was reset', 'Check that the port matches the address: ldaps:// is port 636']],
  ['EPIPE', ['the connection was closed', 'Look into the server’s log']],
  ['ETIMEDOUT', ['no answer', 'Check host, port and the firewall between']],
  ['EHOSTUNREACH', ['there is no route to it', 'Check host, port and the firewall between']],
  ['ENETUNREACH', ['there is no route to it', 'Check the network of the machine that Rollcall runs on']]
])

const ownCa = 'Paste the certificate of the authority that signed it (PEM) into “CA certificate”'
const tlsFaults = new Map<string, [string, string]>([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', ['the certificate is self-signed, and Rollcall does not trust it', ownCa]],
  ['SELF_SIGNED_CERT_IN_CHAIN', ['the certificate comes from an authority that Rollcall does not trust', ownCa]],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ['the certificate comes from an authority that Rollcall does not trust', ownCa]
  ],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ['the certificate comes from an authority that Rollcall does not trust', ownCa]],
  ['UNABLE_TO_GET_ISSUER_CERT', ['the certificate comes from an authority that Rollcall does not trust', ownCa]],
  ['CERT_HAS_EXPIRED', ['the certificate has expired', 'Renew the certificate of the server']],
  ['CERT_NOT_YET_VALID', ['the certificate is not valid yet', 'Check the clocks of both machines']],
  ['CERT_REVOKED', ['the certificate was revoked', 'Renew the certificate of the server']]
])

export function networkProblem(doing: string, error: unknown): DirectoryProblem {
  if (error instanceof DirectoryProblem) return error
  const [code, message] = [codeOf(error) ?? '', messageOf(error)]
  const known = networkFaults.get(code) ?? tlsFaults.get(code)
  if (known) return new DirectoryProblem(`${doing}: ${known[0]} (${code})`, known[1])
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new DirectoryProblem(
      `${doing}: the certificate is for another name. ${oneLine(message)}`,
      'Enter a host name that is in the certificate'
    )
  if (/wrong version number|packet length too long|unknown protocol|http request/i.test(message))
    return new DirectoryProblem(`${doing}: the other end does not speak TLS`, 'Use port 636 for ldaps://, or StartTLS')
  return new DirectoryProblem(`${doing}: ${oneLine(message)}`, 'Look into the server’s log')
}

export const oneLine = (text: string) =>
  cutText(
    cutText(text, 2_000)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim(),
    300
  )

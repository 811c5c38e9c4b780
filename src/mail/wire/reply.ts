/** What a mail server's refusal means: whose fault it is, then how bad. Enhanced codes (RFC 3463) beat basic ones. */
import type { Outcome } from '../delivery.ts'
import { askOf } from './limits.ts'

export interface Reply {
  code: number
  /** `5.1.1`, when the server gives one. */
  enhanced: string
  /** The server's words in one line, codes included. */
  text: string
}

export type Stage = 'connect' | 'sender' | 'recipient' | 'data' | 'message'

const longestReply = 500

/** One reply of one or more lines, without their line ends; `lines` are latin1. Undefined: not SMTP. */
export function readReply(lines: string[]): Reply | undefined {
  const code = Number(/^[2-5]\d\d(?=[ -]|$)/.exec(lines[0]!)?.[0])
  if (!code) return undefined
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(lines[0]!)?.[1] ?? ''
  const rest = lines.slice(1).map(line => line.replace(/^\d{3}[ -]?/, '').replace(enhanced, ''))
  return { code, enhanced, text: readable([lines[0]!.replace(/^(\d{3})-/, '$1 '), ...rest].join(' ')) }
}

/** Server text as it is stored and shown: UTF-8, one line, no control characters, at most 500 characters. */
export function readable(latin1: string): string {
  return inOneLine(Buffer.from(latin1.slice(0, 2 * longestReply), 'latin1').toString('utf8'))
}

/**
 * Words from anywhere, so that they can be stored and shown. A server may quote the email that it refuses: a link in it
 * stays secret. Half a character at the cut would be refused as JSON.
 */
export function inOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/(\/(?:join|unsubscribe)\/)[\w.-]+(?:= ?[\w.-]+)*/g, '$1…')
    .trim()
    .slice(0, longestReply)
    .toWellFormed()
}

/** The outcome of a refusal (4xx or 5xx) at one stage of the conversation. */
export function judgeRefusal(stage: Stage, refusal: Reply): Outcome {
  const { code, enhanced, text: reply } = refusal
  const isOfMail = stage !== 'sender'
  if (mustSignIn.has(code)) return { is: 'transport-fault', reply, isOfMail }
  const ask = askOf(stage, refusal)
  if (ask?.about === 'everything') return { is: 'transport-fault', reply, isOfMail }
  if (ask?.about === 'mail') return { is: 'deferred', reply, ...(ask.wait ? { wait: ask.wait } : {}) }
  if (ask) return { is: 'throttled', reply, ask }
  if (stage === 'sender') return { is: 'transport-fault', reply }
  if (code === 503) return { is: 'deferred', reply } // "bad sequence": about the conversation, not the recipient
  if (enhanced.startsWith('5.7.')) return { is: 'policy', reply }
  const isAboutMailbox = /^5\.[12]\./.test(enhanced)
  if (stage === 'recipient' || isAboutMailbox) return { is: 'recipient-failed', reply, suppress: isGone(enhanced) }
  return { is: 'policy', reply }
}

/** 530 TLS or sign-in required, 534, 535, 538: our settings are wrong, whoever the recipient is. */
const mustSignIn = new Set([530, 534, 535, 538])

/** The mailbox does not exist (5.1.x) or is closed (5.2.1). 5.1.8 is about the sender, 5.2.2 a full mailbox. */
const isGone = (enhanced: string) => (enhanced.startsWith('5.1.') && enhanced !== '5.1.8') || enhanced === '5.2.1'

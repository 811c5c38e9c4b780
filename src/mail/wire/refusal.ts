/** What a refusal means: whose fault it is, then how bad. Enhanced codes (RFC 3463) beat basic ones. */
import type { Outcome } from '../delivery.ts'
import { askOf } from './limits.ts'
import type { Reply, Stage } from './reply.ts'

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

/** 530 TLS or sign-in required, 534, 535, 538: our settings are wrong, for any recipient. */
const mustSignIn = new Set([530, 534, 535, 538])

/** The mailbox does not exist (5.1.x) or is closed (5.2.1). 5.1.8 is about the sender, 5.2.2 a full mailbox. */
const isGone = (enhanced: string) => (enhanced.startsWith('5.1.') && enhanced !== '5.1.8') || enhanced === '5.2.1'

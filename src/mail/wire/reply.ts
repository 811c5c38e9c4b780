export interface Reply {
  code: number
  enhanced: string
  text: string
}

export type Stage = 'connect' | 'sender' | 'recipient' | 'data' | 'message'

const maxReply = 500

/** One reply from its lines, in latin1 and without line ends. Undefined: not SMTP. */
export function readReply([head = '', ...others]: string[]): Reply | undefined {
  const code = Number(/^[2-5]\d\d(?=[ -]|$)/.exec(head)?.[0])
  if (!code) return undefined
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(head)?.[1] ?? ''
  const rest = others.map(line => line.replace(/^\d{3}[ -]?/, '').replace(enhanced, ''))
  return { code, enhanced, text: readable([head.replace(/^(\d{3})-/, '$1 '), ...rest].join(' ')) }
}

/** Server text as it is stored and shown: UTF-8, one line, no control characters, at most 500 characters. */
export function readable(latin1: string): string {
  return inOneLine(Buffer.from(latin1.slice(0, 2 * maxReply), 'latin1').toString('utf8'))
}

/** Makes server text safe to store: links are secret, so quoted ones are cut; half a surrogate is invalid JSON. */
export function inOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/(\/(?:join|unsubscribe)\/)[\w.-]+(?:= ?[\w.-]+)*/g, '$1…')
    .trim()
    .slice(0, maxReply)
    .toWellFormed()
}

/** A mail server's reply, and its words in a form that can be stored and shown. */
export interface Reply {
  code: number
  /** `5.1.1`, when the server gives one. */
  enhanced: string
  /** The server's words in one line, codes included. */
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

/**
 * Makes foreign text safe to store and show. A server may quote the email that it refuses, so links are cut: they are
 * secret. A surrogate cut in half would be invalid JSON.
 */
export function inOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/(\/(?:join|unsubscribe)\/)[\w.-]+(?:= ?[\w.-]+)*/g, '$1…')
    .trim()
    .slice(0, maxReply)
    .toWellFormed()
}

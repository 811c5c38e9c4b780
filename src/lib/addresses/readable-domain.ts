/** Internationalized domain names in readable form, unless they could pass for another name (UTS 39, simplified). */
import { domainToASCII, domainToUnicode } from 'node:url'

const inText = /(?<=^|[\s@"“(<>])(?:[a-z0-9-]{1,63}\.){0,9}xn--[a-z0-9-]{1,59}(?:\.[a-z0-9-]{1,63})*/g

export function readable(text: string): string {
  return text.includes('xn--') ? text.replace(inText, readableDomain) : text
}

/** The readable form, or the ASCII form if that does not lead back or may look like another. */
export function readableDomain(domain: string): string {
  const shown = domainToUnicode(domain)
  if (domainToASCII(shown) !== domain) return domain
  return shown.split('.').every(label => isOfOneScript(label) && !looksLatin.test(label)) ? shown : domain
}

/** Latin without phonetic letters and clicks; others alone; East Asian scripts in the mixtures that are in use. */
const scripts = [
  /^[a-z0-9\u00df-\u00f6\u00f8-\u01bf\u01c4-\u024f\u1e00-\u1eff\u00b7-]+$/u,
  /^[a-z0-9\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}-]+$/u,
  /^[a-z0-9\p{scx=Han}\p{scx=Hangul}-]+$/u,
  /^[a-z0-9\p{scx=Han}\p{scx=Bopomofo}-]+$/u,
  ...[
    ...['Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Devanagari', 'Bengali', 'Thai', 'Georgian', 'Armenian', 'Ethiopic'],
    ...['Tamil', 'Telugu', 'Gujarati', 'Gurmukhi', 'Kannada', 'Malayalam', 'Khmer', 'Lao', 'Myanmar', 'Sinhala']
  ].map(script => new RegExp(`^[0-9\\p{Script=${script}}\\p{Script=Inherited}-]+$`, 'u'))
]
const isOfOneScript = (label: string) => scripts.some(script => script.test(label))

const looksLatin = /^(?=.*[^\0-\x7f])(?:[асԁеһіјӏорԛѕԝхуъьҽпгѵѡ0-9-]+|[αγικνορτυωχ0-9-]+)$/

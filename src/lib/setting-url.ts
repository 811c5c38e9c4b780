/**
 * What a URL in a setting has that reading it would drop, in words without any of its text; undefined: nothing. A sign
 * that is not escaped in a password ends the host early, and the rest of it would be taken for a path and forgotten.
 */
export function droppedFrom(text: string): string | undefined {
  if (/[\t\n\r]/.test(text)) return 'has a tab or a line break in it'
  const rest = text.slice(text.indexOf('://') + 3)
  const end = rest.search(/[/?#]/)
  if (end < 0) return undefined
  const sign = rest[end]!
  if (rest.includes('@', end))
    return `has a ${sign} in the user or the password: write ${sign} as ${encodeURIComponent(sign)}`
  const afterPath = rest.slice(end).replace(/^\/(?=$|\?)/, '')
  if (afterPath !== '' && !afterPath.startsWith('?')) return `has something after the host that is not used: ${removal}`
  return afterPath.includes('#') ? `has a # that is not used: ${removal}` : undefined
}

const removal = 'remove it, or, if it is part of a user or a password, write / as %2F, ? as %3F and # as %23'

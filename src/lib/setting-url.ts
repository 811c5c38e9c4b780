/** What URL parsing would drop, without quoting it. An unescaped sign in a password ends the host early, unnoticed. */
export function droppedFrom(text: string): string | undefined {
  if (/[\t\n\r]/.test(text)) return 'has a tab or a line break in it'
  const rest = text.slice(text.indexOf('://') + 3)
  const end = rest.search(/[/?#]/)
  if (end < 0) return undefined
  const sign = rest.charAt(end)
  if (rest.includes('@', end))
    return `has a ${sign} in the user or password: write ${sign} as ${encodeURIComponent(sign)}`
  const afterPath = rest.slice(end).replace(/^\/(?=$|\?)/, '')
  if (afterPath !== '' && !afterPath.startsWith('?')) return `has unused text after the host: ${removal}`
  return afterPath.includes('#') ? `has an unused #: ${removal}` : undefined
}

const removal = 'remove it or, if it is part of a user or password, write / as %2F, ? as %3F and # as %23'

/**
 * At most `most` UTF-16 units of a text, never half a character: PostgreSQL refuses jsonb with a lone surrogate (22P02). Other characters
 * that it cannot store are replaced, as by `storable`.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return storable(text)
  const isSplit = (text.charCodeAt(max - 1) & 0xfc00) === 0xd800
  return storable(text.slice(0, isSplit ? max - 1 : max))
}

/** The text with every lone surrogate and NUL as U+FFFD, so that PostgreSQL takes it as text and as JSON. */
export function storable(text: string): string {
  // a test costs a fraction of a replacement, and nearly every text passes
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

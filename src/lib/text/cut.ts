/** At most `max` UTF-16 units, never half a character: PostgreSQL refuses jsonb with a lone surrogate (22P02). */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return storable(text)
  const isSplit = (text.charCodeAt(max - 1) & 0xfc00) === 0xd800
  return storable(text.slice(0, isSplit ? max - 1 : max))
}

/** Replaces lone surrogates and NUL, which PostgreSQL refuses, with U+FFFD. */
export function storable(text: string): string {
  // a test costs a fraction of a replacement, and nearly every text passes
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

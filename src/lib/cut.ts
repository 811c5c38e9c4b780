/**
 * At most `most` UTF-16 units of a text, never half a character: PostgreSQL refuses jsonb that holds a lone surrogate
 * (22P02). What it cannot keep is replaced, as `storable` says.
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return storable(text)
  const isSplit = (text.charCodeAt(most - 1) & 0xfc00) === 0xd800
  return storable(text.slice(0, isSplit ? most - 1 : most))
}

/** The text with every lone surrogate and every NUL as U+FFFD, so that PostgreSQL takes it as text and as JSON. */
export function storable(text: string): string {
  // nearly every text is: a look costs a fraction of what replacing does
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

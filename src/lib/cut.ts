/**
 * At most `most` UTF-16 units of a text, never half a character: PostgreSQL refuses jsonb that holds a lone surrogate
 * (22P02). Lone surrogates that were in the text become U+FFFD.
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed()
  const isSplit = (text.charCodeAt(most - 1) & 0xfc00) === 0xd800
  return text.slice(0, isSplit ? most - 1 : most).toWellFormed()
}

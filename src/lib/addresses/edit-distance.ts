/** Levenshtein distance, or Infinity above `limit`; takes time in proportion to length × limit. */
export function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return Number.POSITIVE_INFINITY
  const row: number[] = []
  for (let column = 0; column <= to.length; column += 1) row.push(column)
  for (let line = 1; line <= from.length; line += 1) {
    if (nextRow(row, from.charCodeAt(line - 1), to, line, limit) > limit) return Number.POSITIVE_INFINITY
  }
  const distance = row[to.length]!
  return distance <= limit ? distance : Number.POSITIVE_INFINITY
}

/** Computes only the cells near the diagonal: the others are over the limit. Returns the smallest value. */
function nextRow(row: number[], letter: number, to: string, line: number, limit: number): number {
  const first = Math.max(1, line - limit)
  const last = Math.min(to.length, line + limit)
  let diagonal = row[first - 1]!
  let left = first === 1 ? line : limit + 1
  row[first - 1] = left
  let least = left
  for (let column = first; column <= last; column += 1) {
    const changed = diagonal + (to.charCodeAt(column - 1) === letter ? 0 : 1)
    diagonal = row[column]!
    left = Math.min(changed, diagonal + 1, left + 1)
    row[column] = left
    if (left < least) least = left
  }
  return least
}

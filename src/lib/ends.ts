/** @throws for an empty list, which breaks the promise of what filled it. */
export function first<T>(list: Iterable<T>): T {
  const [one] = list
  if (one === undefined) throw new Error('An empty list has no first element')
  return one
}

export function last<T>(list: readonly T[]): T {
  const one = list.at(-1)
  if (one === undefined) throw new Error('An empty list has no last element')
  return one
}

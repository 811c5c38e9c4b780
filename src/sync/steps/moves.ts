import type { WantedAddress } from './moves-store.ts'

/** Who can move to an address that is free or freed in the same step (swaps, circles, chains). Linear in the moves. */
export function whoMoves(wanted: readonly WantedAddress[]): number[] {
  const movers = new Set(wanted.filter(({ isContested }) => !isContested).map(({ personId }) => personId))
  const held = wanted.flatMap(({ personId, holderId }) => (holderId === null ? [] : [{ personId, holderId }]))
  const waiting = Map.groupBy(held, ({ holderId }) => holderId)
  const staying = [...waiting.keys()].filter(holder => !movers.has(holder))
  for (let holder = staying.pop(); holder !== undefined; holder = staying.pop())
    for (const { personId } of waiting.get(holder) ?? []) if (movers.delete(personId)) staying.push(personId)
  return [...movers]
}

import type { WantedAddress } from './moves-store.ts'

/**
 * Who can move: to an address that is free, or that its holder leaves in the same step. Swaps, circles and chains of any length are one
 * step; in a chain whose end stays, no one moves. Linear in the number of moves.
 */
export function whoMoves(wanted: readonly WantedAddress[]): number[] {
  const movers = new Set(wanted.filter(({ isContested }) => !isContested).map(({ personId }) => personId))
  const held = wanted.flatMap(({ personId, holderId }) => (holderId === null ? [] : [{ personId, holderId }]))
  const waiting = Map.groupBy(held, ({ holderId }) => holderId)
  const staying = [...waiting.keys()].filter(holder => !movers.has(holder))
  for (let holder = staying.pop(); holder !== undefined; holder = staying.pop())
    for (const { personId } of waiting.get(holder) ?? []) if (movers.delete(personId)) staying.push(personId)
  return [...movers]
}

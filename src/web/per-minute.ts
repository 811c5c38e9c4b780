/** How often one user may ask for something that costs little. Counted in memory, so by each process for itself. */

/** Counts a request of a user; returns the seconds to wait when it is more than `max` in this minute, else 0. */
export function perMinute(max: number, now: () => number = () => performance.now()): (userId: number) => number {
  const counts = new Map<number, number>()
  let endsAt = 0
  return userId => {
    if (now() >= endsAt) {
      counts.clear()
      endsAt = now() + 60_000
    }
    const count = (counts.get(userId) ?? 0) + 1
    counts.set(userId, count)
    return count > max ? Math.ceil((endsAt - now()) / 1000) : 0
  }
}

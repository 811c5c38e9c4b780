/** A rate limit for cheap requests, in memory: each process counts for itself. */

/** Counts a user's request; returns 0, or the seconds to wait when it exceeds `max` in this minute. */
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

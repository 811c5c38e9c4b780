/** Counts in this process only. Returns 0, or the seconds to wait after `max` requests in this minute. */
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

const minute = 60
const hour = 60 * minute
const schedule = [minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, 8 * hour]
const longest = 12 * hour

/**
 * Seconds to wait after the given number of attempts (from 1): 1, 5, 15, 30 minutes, 1, 2, 4, 8 hours and then 12 hours each time, ±20 % so
 * that what failed together does not retry together. `random` is in [0, 1).
 */
export function backoffSeconds(attempts: number, random = Math.random()): number {
  return spread(schedule[Math.max(attempts, 1) - 1] ?? longest, random)
}

export function spread(seconds: number, random = Math.random()): number {
  return seconds * (0.8 + 0.4 * random)
}

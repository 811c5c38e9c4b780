const minute = 60
const hour = 60 * minute
const schedule = [minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, 8 * hour]
const longest = 12 * hour

/** Seconds before the next attempt (`attempts` from 1): 1 min to 12 h, ±20 % so that retries spread. */
export function backoffSeconds(attempts: number, random = Math.random()): number {
  return spread(schedule[Math.max(attempts, 1) - 1] ?? longest, random)
}

export function spread(seconds: number, random = Math.random()): number {
  return seconds * (0.8 + 0.4 * random)
}

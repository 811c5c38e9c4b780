/** A rate that tells a slow line from an attack: server timeouts can't (S27). */
import type { IncomingMessage } from 'node:http'

export interface MinimumRate {
  /** How long somebody may stay below the rate, in seconds. */
  seconds: number
  bytesPerSecond: number
}

export const uploadMinimumRate: MinimumRate = { seconds: 30, bytesPerSecond: 1000 }

const watched = new WeakSet<IncomingMessage>()

/** Is somebody watching over this body? */
export const isWatched = (raw: IncomingMessage) => watched.has(raw)

/** How long the answer has to get through before the connection is closed, in milliseconds. */
const farewell = 2000

/**
 * Calls `tooSlow` once and then closes the connection when the request's body arrives too slowly, and closes it when
 * more than `most` bytes come. Time in which we do not read is not the sender's.
 */
export function watchRate(
  raw: IncomingMessage,
  max: number,
  tooSlow: () => void,
  { seconds, bytesPerSecond }: MinimumRate = uploadMinimumRate
): void {
  watched.add(raw)
  const begin = raw.socket.bytesRead
  let before = begin
  const timer = setInterval(() => {
    const now = raw.socket.bytesRead
    const isSlow = now - before < seconds * bytesPerSecond && raw.readableLength === 0
    before = now
    if (!isSlow && now - begin <= max) return
    clearInterval(timer)
    if (isSlow) tooSlow()
    setTimeout(() => raw.destroy(), farewell).unref()
  }, seconds * 1000).unref()
  for (const event of ['end', 'close'] as const) raw.once(event, () => clearInterval(timer))
}

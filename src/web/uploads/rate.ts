/** A minimum rate that distinguishes a slow connection from an attack: server timeouts can't (S27). */
import type { IncomingMessage } from 'node:http'

export interface MinimumRate {
  seconds: number
  bytesPerSecond: number
}

export const uploadMinimumRate: MinimumRate = { seconds: 30, bytesPerSecond: 1000 }

const watched = new WeakSet<IncomingMessage>()

export const isWatched = (raw: IncomingMessage) => watched.has(raw)

/** Time for the reply to arrive before the connection is closed. */
const closeAfterMs = 2000

/** Calls `tooSlow` once, then disconnects; disconnects above `max` bytes. Time when we don't read does not count. */
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
    setTimeout(() => raw.destroy(), closeAfterMs).unref()
  }, seconds * 1000).unref()
  for (const event of ['end', 'close'] as const) raw.once(event, () => clearInterval(timer))
}

export interface Timeouts {
  connectMs: number
  greetingMs: number
  commandMs: number
  /** RFC 5321 §4.5.3.2.6 asks for at least ten minutes. */
  finalDotMs: number
}

export const usualTimeouts: Timeouts = {
  connectMs: 30_000,
  greetingMs: 60_000,
  commandMs: 120_000,
  finalDotMs: 600_000
}

/** What a directory may cost us: some 300 MB at most, whatever it sends. Only tests change these. */
export interface Limits {
  connect: number
  handshake: number
  /** Milliseconds without a complete message while an answer is pending: a byte now and then does not count. */
  silence: number
  /** Milliseconds for one complete answer (a page, an entry, a bind), however busy it is. */
  answer: number
  /** One message: an entry with the attributes of a person has less than 10 kB. */
  messageBytes: number
  /** One answer, such as a page, which is kept in memory until it is complete. */
  answerBytes: number
  /** A message or answer that may be large: a group of a million values has about 70 MB. */
  largeBytes: number
  connectionBytes: number
  /** Above 500 nothing gets faster, and Active Directory gives at most 1,000. */
  pageSize: number
  entries: number
}

const MiB = 1024 * 1024

export const usualLimits: Limits = {
  connect: 10_000,
  handshake: 10_000,
  silence: 10_000,
  answer: 60_000,
  messageBytes: 4 * MiB,
  answerBytes: 32 * MiB,
  largeBytes: 80 * MiB,
  connectionBytes: 4096 * MiB,
  pageSize: 500,
  entries: 150_000
}

/** What a directory may cost us. Tests shorten the times; nobody else changes them. */
export interface Limits {
  /** Milliseconds to resolve the name and connect. */
  connect: number
  /** Milliseconds for the TLS handshake. */
  handshake: number
  /** Milliseconds without one whole message while an answer is owed: a byte now and then does not count. */
  silence: number
  /** Milliseconds for one whole answer (a page, an entry, a bind), however busy it is. */
  answer: number
  /** Bytes of one message: a group of a million values has about 70 MB. */
  messageBytes: number
  /** Bytes of one answer, which is kept in memory until it is whole. */
  answerBytes: number
  /** Bytes that one connection may receive. */
  connectionBytes: number
  /** Entries of a page: from 500 up nothing gets quicker, and Active Directory gives at most 1,000. */
  pageSize: number
}

const MiB = 1024 * 1024

export const usualLimits: Limits = {
  connect: 10_000,
  handshake: 10_000,
  silence: 10_000,
  answer: 60_000,
  messageBytes: 128 * MiB,
  answerBytes: 192 * MiB,
  connectionBytes: 4096 * MiB,
  pageSize: 500
}

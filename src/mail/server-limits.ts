import { type Ask, type LearnedLimit, type Limits, noLimits, type Unit } from './delivery.ts'

/** After a limit was met, no envelope is pipelined for a while. */
const cooldownMs = 5_000
/** Every 50th connection tests whether it may carry more emails than the known limit. */
const trialEvery = 50

export class ServerLimits {
  readonly learned: LearnedLimit[] = []
  private limits = noLimits
  private saved = noLimits
  private restUntil = 0
  private limitMetAt = 0
  private opened = 0
  private readonly maxConnections: number
  private readonly sent = new LastMinute()

  constructor(maxConnections: number) {
    this.maxConnections = maxConnections
  }

  apply(limits: Limits, now = Date.now()): void {
    this.limits = limits
    this.saved = limits
    this.restUntil = now + limits.rest * 1000
  }

  get connections(): number {
    return Math.max(1, Math.min(this.maxConnections, this.limits.connections ?? this.maxConnections))
  }

  isResting(now = Date.now()): boolean {
    return now < this.restUntil
  }

  restSeconds(now = Date.now()): number {
    return Math.max(0, this.restUntil - now) / 1000
  }

  isCoolingDown(now = Date.now()): boolean {
    return now - this.limitMetAt <= cooldownMs
  }

  noteSent(now = Date.now()): void {
    this.sent.add(now)
  }

  quotaOfConnection(): { mails: number; isTrial: boolean } {
    const mails = this.limits.mailsPerConnection
    if (mails === null) return { mails: Number.POSITIVE_INFINITY, isTrial: false }
    this.opened += 1
    const isTrial = this.opened % trialEvery === 0
    return { mails: isTrial ? mails * 2 : mails, isTrial }
  }

  /** One more connection was refused while `others` are open or opening: no more than these for now. */
  capConnections(others: number, now = Date.now()): void {
    this.limitMetAt = now
    this.limits = { ...this.limits, connections: Math.max(1, Math.min(this.connections, others)) }
  }

  /** No connection works, which says nothing about how many are allowed. */
  uncapConnections(): void {
    this.limits = { ...this.limits, connections: this.saved.connections }
  }

  learnConnections(connections: number, reply: string, named = connections, now = Date.now()): void {
    this.capConnections(Math.min(connections, named), now)
    this.learned.push({ about: 'at-once', connections: this.connections, reply })
  }

  learnMailsPerConnection(mails: number, reply: string): void {
    if (this.limits.mailsPerConnection === mails) return
    this.limits = { ...this.limits, mailsPerConnection: mails }
    this.learned.push({ about: 'connection', mails, reply })
  }

  /** Emails in flight may be refused for the same reason, which says nothing new. */
  learnPace({ wait, limit, unit }: Ask, reply: string, now = Date.now()): void {
    if (this.isResting(now)) return
    this.limitMetAt = now
    const { inMinute, inSecond, since } = this.sent.look(now)
    const known = this.limits.perMinute
    const named = limit === undefined || unit === undefined ? undefined : limit * perMinuteOf[unit]
    const seen = unit === 'second' ? inSecond * 54 : unit === 'day' ? 0 : inMinute
    // a pace that we kept but that is still too fast gets slower, whatever was seen
    const guess = known === null ? seen : Math.min(seen || known, known * 0.8)
    const perMinute = named ?? (guess > 0 ? Math.max(0.5, guess) : known)
    const pause = wait ?? pauses[unit ?? 'minute'](Math.max(5, 60 - since))
    this.limits = { ...this.limits, perMinute }
    this.restUntil = now + pause * 1000
    this.learned.push({ about: 'pace', perMinute, wait: pause, reply })
  }
}

const perMinuteOf: Record<Unit, number> = { second: 60, minute: 1, hour: 1 / 60, day: 1 / 1440 }

/** Seconds to wait if the server names none; `left` is the rest of a minute that began with the first email. */
const pauses: Record<Unit, (left: number) => number> = {
  second: () => 1,
  minute: left => left,
  hour: () => 300,
  day: () => 1800
}

class LastMinute {
  private readonly counts = new Map<number, number>()

  add(now: number): void {
    const second = Math.floor(now / 1000)
    this.counts.set(second, (this.counts.get(second) ?? 0) + 1)
    if (this.counts.size > 60) for (const each of this.counts.keys()) if (second - each >= 60) this.counts.delete(each)
  }

  look(now: number): { inMinute: number; inSecond: number; since: number } {
    const second = Math.floor(now / 1000)
    const recent = [...this.counts]
      .map(([each, count]) => ({ age: second - each, count }))
      .filter(({ age }) => age < 60)
    return {
      inMinute: recent.reduce((sum, { count }) => sum + count, 0),
      inSecond: Math.max(...recent.filter(({ age }) => age < 2).map(({ count }) => count), 0),
      since: Math.max(...recent.map(({ age }) => age), 0)
    }
  }
}

export const serverOf = ({ host, port }: { host: string; port: number }) => `${host}:${port}`

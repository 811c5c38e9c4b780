/** Keeps a transport within what its server allows, and works out what a complaint of the server means in figures. */
import { type Ask, type Asked, type Limits, noLimits, type Unit } from './delivery.ts'

/** Milliseconds after a complaint in which nothing is done ahead. */
const calm = 5_000
/** One connection in so many tries whether it may carry more mails than is known. */
const trialEvery = 50

export class ServerLimits {
  /** What was learned and is not kept yet. */
  readonly asked: Asked[] = []
  private limits = noLimits
  private kept = noLimits
  private restUntil = 0
  private complainedAt = 0
  private connected = 0
  private readonly most: number
  private readonly sent = new LastMinute()

  constructor(most: number) {
    this.most = most
  }

  obey(limits: Limits, now = Date.now()): void {
    this.limits = limits
    this.kept = limits
    this.restUntil = now + limits.rest * 1000
  }

  /** Connections at once. */
  get lanes(): number {
    return Math.max(1, Math.min(this.most, this.limits.connections ?? this.most))
  }

  isResting(now = Date.now()): boolean {
    return now < this.restUntil
  }

  /** Seconds. */
  restLeft(now = Date.now()): number {
    return Math.max(0, this.restUntil - now) / 1000
  }

  isCalm(now = Date.now()): boolean {
    return now - this.complainedAt > calm
  }

  noteSent(now = Date.now()): void {
    this.sent.add(now)
  }

  /** How many mails a new connection is to carry. */
  allowance(): { mails: number; isTrial: boolean } {
    const mails = this.limits.mailsPerConnection
    if (mails === null) return { mails: Number.POSITIVE_INFINITY, isTrial: false }
    this.connected += 1
    const isTrial = this.connected % trialEvery === 0
    return { mails: isTrial ? mails * 2 : mails, isTrial }
  }

  /** One connection more was refused while `others` work or open: no more than these for now. */
  crowd(others: number, now = Date.now()): void {
    this.complainedAt = now
    this.limits = { ...this.limits, connections: Math.max(1, Math.min(this.lanes, others)) }
  }

  /** None works: that says nothing about how many may. */
  fail(): void {
    this.limits = { ...this.limits, connections: this.kept.connections }
  }

  /** So many connections work, and one more was refused. */
  noteAtOnce(connections: number, reply: string, named = connections, now = Date.now()): void {
    this.crowd(Math.min(connections, named), now)
    this.asked.push({ about: 'at-once', connections: this.lanes, reply })
  }

  /** A connection has carried so many mails, and is refused another one. */
  noteConnection(mails: number, reply: string): void {
    if (this.limits.mailsPerConnection === mails) return
    this.limits = { ...this.limits, mailsPerConnection: mails }
    this.asked.push({ about: 'connection', mails, reply })
  }

  /** Too fast. What was on its way at the first complaint may bring more of them, which say nothing new. */
  notePace({ wait, limit, unit }: Ask, reply: string, now = Date.now()): void {
    if (this.isResting(now)) return
    this.complainedAt = now
    const { inMinute, inSecond, since } = this.sent.look(now)
    const known = this.limits.perMinute
    const named = limit === undefined || unit === undefined ? undefined : limit * perMinuteOf[unit]
    const seen = unit === 'second' ? inSecond * 54 : unit === 'day' ? 0 : inMinute
    // a rate that was kept and still is too fast gets smaller, whatever was seen
    const guess = known === null ? seen : Math.min(seen || known, known * 0.8)
    const perMinute = named ?? (guess > 0 ? Math.max(0.5, guess) : known)
    const pause = wait ?? pauses[unit ?? 'minute'](Math.max(5, 60 - since))
    this.limits = { ...this.limits, perMinute }
    this.restUntil = now + pause * 1000
    this.asked.push({ about: 'pace', perMinute, wait: pause, reply })
  }
}

const perMinuteOf: Record<Unit, number> = { second: 60, minute: 1, hour: 1 / 60, day: 1 / 1440 }

/** Seconds to wait where the server names none; `left` is what is left of a minute that began with the first mail. */
const pauses: Record<Unit, (left: number) => number> = {
  second: () => 1,
  minute: left => left,
  hour: () => 300,
  day: () => 1800
}

/** How many mails went out in the last minute, by the second. */
class LastMinute {
  private readonly counts = new Array<number>(60).fill(0)
  private readonly seconds = new Array<number>(60).fill(0)

  add(now: number): void {
    const second = Math.floor(now / 1000)
    const place = second % 60
    if (this.seconds[place] !== second) this.counts[place] = 0
    this.seconds[place] = second
    this.counts[place]! += 1
  }

  look(now: number): { inMinute: number; inSecond: number; since: number } {
    const second = Math.floor(now / 1000)
    const ages = this.seconds.map(each => second - each)
    const recent = this.counts.map((count, i) => (ages[i]! < 60 ? count : 0))
    const inSecond = Math.max(...recent.filter((_, i) => ages[i]! < 2), 0)
    const since = Math.max(...ages.filter((age, i) => age < 60 && recent[i]! > 0), 0)
    return { inMinute: recent.reduce((sum, count) => sum + count, 0), inSecond, since }
  }
}

/** The name under which a server's limits are kept. */
export const serverOf = ({ host, port }: { host: string; port: number }) => `${host}:${port}`

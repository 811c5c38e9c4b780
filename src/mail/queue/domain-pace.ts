/** Limits how fast mails go to each recipient domain, by the pacing in the settings. */
export class DomainPace {
  /** Mails a second to each domain; null: no limit. */
  perSecond: number | null = null
  /** When the next mail to a domain may be sent (ms). */
  private readonly next = new Map<string, number>()

  /** May a mail to this address be sent now? If so, it takes the domain's turn. */
  takeTurn(address: string, now = Date.now()): boolean {
    if (this.perSecond === null) return true
    const name = address.slice(address.lastIndexOf('@') + 1)
    const turn = this.next.get(name) ?? 0
    if (turn > now) return false
    this.next.set(name, Math.max(turn, now - 1000) + 1000 / this.perSecond)
    return true
  }
}

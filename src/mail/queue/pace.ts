/** How fast mails go to each recipient domain, as the settings ask for it. */
export class DomainPace {
  /** Mails a second to each domain; null: no limit. */
  perSecond: number | null = null
  /** When the next mail to a domain may leave, in milliseconds. */
  private readonly next = new Map<string, number>()

  /** May a mail to this address leave now? If so, the next one's turn is counted from here. */
  takeTurn(address: string, now = Date.now()): boolean {
    if (this.perSecond === null) return true
    const name = address.slice(address.lastIndexOf('@') + 1)
    const turn = this.next.get(name) ?? 0
    if (turn > now) return false
    this.next.set(name, Math.max(turn, now - 1000) + 1000 / this.perSecond)
    return true
  }
}

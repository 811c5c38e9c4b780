/** How fast mails go to each recipient domain: a rate that the settings ask for, and patience that a server asks for. */

interface Domain {
  /** Not before this moment, in milliseconds. */
  next: number
  /** The pause after each mail that a server's complaints have led to, in milliseconds. */
  gap: number
}

const firstGap = 500
const longestGap = 60_000

export class DomainPace {
  /** Mails a second to each domain; null: no limit. */
  perSecond: number | null = null
  private readonly domains = new Map<string, Domain>()

  /** May a mail to this address leave now? If so, the next one's turn is counted from here. */
  takeTurn(address: string, now = Date.now()): boolean {
    if (this.perSecond === null && this.domains.size === 0) return true
    const domain = this.of(address)
    if (domain.next > now) return false
    domain.next = Math.max(domain.next, now - 1000) + Math.max(domain.gap, this.perSecond ? 1000 / this.perSecond : 0)
    return true
  }

  /** The server asked for patience with this domain (4.7.x), or took a mail to it. */
  learn(address: string, isThrottled: boolean, now = Date.now()): void {
    if (!isThrottled && this.domains.size === 0) return
    const domain = this.of(address)
    if (isThrottled) {
      domain.gap = Math.min(longestGap, Math.max(firstGap, domain.gap * 2))
      domain.next = now + domain.gap
    } else domain.gap = domain.gap < firstGap / 2 ? 0 : domain.gap * 0.9
  }

  private of(address: string): Domain {
    const name = address.slice(address.lastIndexOf('@') + 1)
    const known = this.domains.get(name) ?? { next: 0, gap: 0 }
    this.domains.set(name, known)
    return known
  }
}

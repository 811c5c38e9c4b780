export class DomainPace {
  perSecond: number | null = null
  private readonly next = new Map<string, number>()

  /** Whether an email to this address may be sent now; if so, it takes the domain's turn. */
  takeTurn(address: string, now = Date.now()): boolean {
    if (this.perSecond === null) return true
    const name = address.slice(address.lastIndexOf('@') + 1)
    const turn = this.next.get(name) ?? 0
    if (turn > now) return false
    this.next.set(name, Math.max(turn, now - 1000) + 1000 / this.perSecond)
    return true
  }
}

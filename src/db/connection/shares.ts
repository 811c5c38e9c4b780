export type Role = 'web' | 'worker' | 'all'

export interface Shares {
  web: number
  /** Without the connection that listens for notices. */
  worker: number
  listen: number
}

const usual: Shares = { web: 12, worker: 8, listen: 1 }
/** A sync keeps one connection for its lock and works with another. */
const least: Shares = { web: 2, worker: 2, listen: 1 }

const sum = ({ web, worker, listen }: Shares) => web + worker + listen
const forRole = ({ web, worker, listen }: Shares, role: Role): Shares => ({
  web: role === 'worker' ? 1 : web,
  ...(role === 'web' ? { worker: 0, listen: 0 } : { worker, listen })
})

export const usualConnections = (role: Role): number => sum(forRole(usual, role))
export const fewestConnections = (role: Role): number => sum(forRole(least, role))

/** Pages that use up their connections must not stop mail, or vice versa: each has a share. */
export function divide(connections: number, role: Role): Shares {
  const shares = forRole(least, role)
  const wanted = forRole(usual, role)
  const open = connections - sum(shares)
  const more = sum(wanted) - sum(shares)
  const web = Math.round((open * (wanted.web - shares.web)) / more)
  return { web: shares.web + web, worker: shares.worker + (role === 'web' ? 0 : open - web), listen: shares.listen }
}

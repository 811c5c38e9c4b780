import { isIP } from 'node:net'

export interface PasskeySite {
  rpId: string
  origin: string
}

/** Where passkeys belong. Undefined where browsers refuse them: at an IP address, or over plain http but on this machine. */
export function passkeySite(baseUrl: string): PasskeySite | undefined {
  const { protocol, hostname, origin } = new URL(baseUrl)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || (protocol !== 'https:' && !isLocal)) return undefined
  return { rpId: hostname, origin }
}

import { cutText } from '../../lib/text/cut.ts'
import { DirectoryProblem } from '../directory.ts'
import { dnKey, isBelow } from '../syntax/dn.ts'

export type Exclusions = (key: string, addresses: string[]) => boolean

/** From DNs, which include everything below them, and email addresses. Throws on anything else. */
export function readExclusions(lines: string[]): Exclusions {
  const bases: string[] = []
  const addresses = new Set<string>()
  for (const line of lines.map(each => each.trim()).filter(Boolean)) {
    const key = dnKey(line)
    if (key) bases.push(key)
    else if (line.includes('@')) addresses.add(line.toLowerCase())
    else throw new DirectoryProblem(`The exclusion “${cutText(line, 200)}” is neither a DN nor an address`)
  }
  return (key, own) =>
    bases.some(base => isBelow(key, base)) || own.some(address => addresses.has(address.trim().toLowerCase()))
}

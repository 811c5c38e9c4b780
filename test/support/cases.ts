/** The small inputs from the field, read unchanged, and applied to a real directory. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type Slapd, suffix } from './slapd.ts'

/** For `database` of `startSlapd`: allows `changeDirectory`. */
export const writable = ['rootpw admin-secret']

/** The text of one case. */
export const readCase = (name: string) => fs.readFileSync(path.join(import.meta.dirname, '../cases', name), 'utf8')

/** The records of an LDIF case, in order. */
export const recordsOf = (name: string) =>
  readCase(name)
    .replace(/^#.*\n/gm, '')
    .split(/\n\n+/)
    .map(record => record.trim())
    .filter(Boolean)
    .map(record => `${record}\n`)

/** Adds or changes entries as the directory's administrator; records without a change type are added. */
export function changeDirectory({ url }: Slapd, ldif: string): void {
  const words = ['-x', '-H', url, '-D', `cn=admin,${suffix}`, '-w', 'admin-secret']
  execFileSync('ldapmodify', ['-a', ...words], { input: ldif, stdio: 'pipe' })
}

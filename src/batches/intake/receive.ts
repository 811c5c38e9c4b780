/** Receives a file: every line is judged by itself and stored before the reply. */
import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { FileRefused } from '../../lib/text/text-encoding.ts'
import { readLines } from '../../lib/text/text-lines.ts'
import { requireRole } from '../../people/store.ts'
import { nameTeams } from '../../teams/members-store.ts'
import { chunkOf, type JudgedLine } from '../chunk.ts'
import { judgeLine, type OrganizationDomains } from '../recipient.ts'
import { deleteBatch, deleteChunks, insertBatch, lockBatch, setState, startChecking } from '../store.ts'
import { addChunk, showLife } from './intake-store.ts'

export interface ListFile {
  name: string
  bytes: AsyncIterable<Buffer>
  /** Whether the error from `bytes` is a refusal, which leaves nothing behind. */
  isRefusal: (error: unknown) => boolean
}

export type ReceivedList =
  /** The whole file came; the batch is still incomplete if the upload was given up as silent meanwhile. */
  | { outcome: 'received'; batchId: number }
  /** What the file is and what to do about it. Nothing of it is kept. */
  | { outcome: 'refused'; reason: string }

const linesInChunk = 5000
/** Milliseconds between two signs of life of an upload that brings no lines. */
const heartbeat = 10_000

/** Reads a list in constant memory. @throws what `bytes` throws; the batch is incomplete then. */
export async function receiveList(
  db: Database,
  actorId: number,
  { name, bytes, isRefusal }: ListFile,
  domains: OrganizationDomains
): Promise<ReceivedList> {
  if (!/\.txt$/i.test(name)) return { outcome: 'refused', reason: new FileRefused('name').message }
  const batchId = await insertBatch(db, {
    source: 'file',
    state: 'receiving',
    action: 'check',
    fileName: name,
    createdBy: actorId,
    sentBy: actorId
  })
  const beat = setInterval(() => void showLife(db, batchId).catch(() => {}), heartbeat)
  try {
    await store(db, batchId, readLines(bytes), domains)
    return { outcome: 'received', batchId }
  } catch (error) {
    if (error instanceof GivenUp) return { outcome: 'received', batchId }
    const isRefusedFile = error instanceof FileRefused
    if (isRefusedFile || isRefusal(error)) await discard(db, batchId)
    else await markIncomplete(db, batchId)
    if (isRefusedFile) return { outcome: 'refused', reason: error.message }
    throw error
  } finally {
    clearInterval(beat)
  }
}

/** One chunk is written while the next is read. */
async function store(
  db: Database,
  batchId: number,
  source: ReturnType<typeof readLines>,
  domains: OrganizationDomains
) {
  let writing: Promise<void> = Promise.resolve()
  const write = async (full: JudgedLine[]) => {
    await writing
    writing = writeChunk(db, batchId, full)
    writing.catch(() => {})
  }
  let lines: JudgedLine[] = []
  try {
    for await (const some of source) {
      for (const { number, text, tooLong } of some) {
        lines.push({ number, text, ...judgeLine(text, domains, tooLong) })
        if (lines.length < linesInChunk) continue
        await write(lines)
        lines = []
      }
    }
    if (lines.length > 0) await write(lines)
  } finally {
    await writing
  }
}

async function writeChunk(db: Database, batchId: number, lines: JudgedLine[]) {
  const isKept = await transaction(db, tx => addChunk(tx, batchId, chunkOf(lines), lines.length))
  if (!isKept) throw new GivenUp()
}

/** The upload was silent for a minute: see `silentUploads`. */
class GivenUp extends Error {}

/** Lets the worker begin. @throws RoleLost when the sender lost their role meanwhile; the batch still exists then. */
export async function release(
  db: Database,
  actorId: number,
  batchId: number,
  { action, teamIds }: { action: 'send' | 'check'; teamIds: number[] }
): Promise<void> {
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'admin')
    await nameTeams(tx, batchId, teamIds)
    await startChecking(tx, batchId, { from: ['receiving'], action })
  })
}

export async function discard(db: Database, batchId: number): Promise<void> {
  await deleteBatch(db, batchId)
}

/** The upload was interrupted: its lines are dropped, the batch stays as a record. */
export async function markIncomplete(db: Database, batchId: number): Promise<void> {
  await transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (batch?.state !== 'receiving') return
    await setState(tx, batchId, 'incomplete', { isOver: true })
    await deleteChunks(tx, batchId)
    await recordEvent(tx, { kind: 'upload-cut', actorId: batch.createdBy, batchId, details: { lines: batch.lines } })
  })
}

import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { requireRole } from '../people/store.ts'
import { notify } from './notify.ts'
import { deleteSession, deleteSessionsOf } from './store.ts'

/** An owner ends one session of a person, or all but the owner's own current one. Returns how many. */
export async function endSessions(
  db: Database,
  owner: { id: number; sessionId: number },
  personId: number,
  session?: number
): Promise<number> {
  return transaction(db, async tx => {
    await requireRole(tx, owner.id, 'owner')
    const sessions =
      session === undefined
        ? await deleteSessionsOf(tx, personId, owner.sessionId)
        : Number(await deleteSession(tx, personId, session))
    if (sessions === 0) return 0
    await recordEvent(tx, { kind: 'sessions-ended', actorId: owner.id, personId, details: { sessions } })
    if (personId !== owner.id) await notify(tx, 'sessions-ended', personId)
    return sessions
  })
}

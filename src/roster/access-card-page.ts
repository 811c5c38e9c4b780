import type { Database } from '../db/client.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { sessionsView } from '../sessions/sessions-page.ts'
import { listSessions } from '../sessions/store.ts'
import type { Viewer } from '../web/access.ts'

/** A user's sessions and second factor; null for viewers who may not end them. */
export async function accessCard(
  db: Database,
  { id, signedUpAt }: { id: number; signedUpAt: Date | null },
  viewer: Viewer
) {
  if (viewer.role !== 'owner' || signedUpAt === null) return null
  const [sessions, factors] = await Promise.all([listSessions(db, id), factorsOf(db, id)])
  return { ...factors, id, sessions: sessionsView(sessions, viewer) }
}

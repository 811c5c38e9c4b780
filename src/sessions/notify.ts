import type { Db } from '../db/client.ts'
import { queueNotices } from '../mail/store.ts'
import { ownersOf } from '../people/store.ts'
import type { NoticeKind } from './account-notices.ts'

/** Tells people by email about their accounts; in the transaction of what happened. */
export const notify = (tx: Db, kind: NoticeKind, ...personIds: number[]) => queueNotices(tx, kind, personIds)

export const notifyOwners = async (tx: Db, kind: NoticeKind) => queueNotices(tx, kind, await ownersOf(tx))

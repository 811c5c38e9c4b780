import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { type DirectoryState, sealPassword, serverOf } from '../directory/settings.ts'
import { writeSettingsRow } from '../directory/settings-store.ts'
import { keysIn } from '../lib/known.ts'
import { requireRole } from '../people/store.ts'
import type { ReadForm } from './directory-form.ts'

/** Stores the password sealed with its server, in no event and no answer. Every group's next run uses the settings. */
export async function changeDirectory(
  { db, secretKey }: { db: Database; secretKey: Buffer },
  actorId: number,
  { settings, intervalMinutes, deactivateLeavers, newPassword }: ReadForm,
  { locked }: Pick<DirectoryState, 'locked'>
): Promise<void> {
  const { bindPassword, nested, allowPlain, attributes, exclusions, domains: _, ...reached } = settings
  const own = keysIn(reached)
    .filter(name => !locked.has(name))
    .map(name => [name, reached[name]])
  const forget = settings.bindDn === '' ? { bindPassword: null, passwordFor: null } : {}
  const keep = newPassword === null ? {} : { bindPassword: sealPassword(secretKey, newPassword) }
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await writeSettingsRow(tx, {
      ...Object.fromEntries(own),
      nested,
      allowPlain,
      attributes,
      exclusions,
      intervalMinutes,
      deactivateLeavers,
      ...(newPassword === null ? {} : { passwordFor: serverOf(settings) }),
      ...keep,
      ...forget
    })
    const details = { server: serverOf(settings).split(' ').slice(0, 3).join(' '), base: settings.baseDn }
    await recordEvent(tx, {
      kind: 'directory-settings-changed',
      actorId,
      details: { ...details, deactivateLeavers, newPassword: newPassword !== null }
    })
  })
}

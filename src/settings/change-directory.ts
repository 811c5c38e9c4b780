import { changesBetween, type Details } from '../audit/change-event.ts'
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { type DirectoryState, sealPassword, serverOf } from '../directory/settings.ts'
import { writeSettingsRow } from '../directory/settings-store.ts'
import { keysIn } from '../lib/known.ts'
import { requireRole } from '../people/store.ts'
import { type ReadForm, valuesOf } from './directory-form.ts'

/** Stores the password sealed with its server, in no event and no answer. Every group's next run uses the settings. */
export async function changeDirectory(
  { db, secretKey }: { db: Database; secretKey: Buffer },
  actorId: number,
  read: ReadForm,
  state: DirectoryState
): Promise<void> {
  const { settings, intervalMinutes, deactivateLeavers, newPassword } = read
  const { bindPassword, nested, allowPlain, attributes, exclusions, domains: _, ...reached } = settings
  const own = keysIn(reached)
    .filter(name => !state.locked.has(name))
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
    const details = { ...changesOf(state, read), ...(newPassword === null ? {} : { bind_password: 'changed' }) }
    if (Object.keys(details).length > 0) await recordEvent(tx, { kind: 'directory-settings-changed', actorId, details })
  })
}

/** Certificates are long, so an event only says that they are others. */
function changesOf(state: DirectoryState, { settings, intervalMinutes, deactivateLeavers }: ReadForm): Details {
  const before = valuesOf(state)
  const after = valuesOf({ ...state, settings, intervalMinutes, deactivateLeavers })
  const { ca, ...details } = changesBetween<Record<string, string>>(before, after)
  return { ...details, ...(ca && { ca: 'changed' }) }
}

import { counted, number } from '../../lib/words.ts'
import { canBe } from '../batch.ts'
import type { BatchRow } from '../store.ts'
import { leftOf } from './sent-page.ts'

interface Action {
  id: string
  href: string
  label: string
  icon: string
  primary: boolean
}

interface Circumstances {
  hasMailServer: boolean
  /** A new batch sent what this canceled batch did not. */
  isRestSent: boolean
}

export function actionsFor(batch: BatchRow, mayAct: boolean, { hasMailServer, isRestSent }: Circumstances) {
  const base = `/batches/${batch.id}`
  const act = (path: string, label: string, icon: string, primary = false): Action => ({
    id: path,
    href: `${base}/${path}`,
    label,
    icon,
    primary
  })
  if (!mayAct) return { actions: [], cancellation: null }
  const failed = batch.mailsFailed + batch.mailsUnknown
  const actions: Action[] = []
  if (canBe('sent', batch.state) && batch.invite > 0)
    actions.push(act('sending', `Send ${counted(batch.invite, 'invitation')}`, 'send', true))
  if (canBe('resumed', batch.state)) actions.push(act('resumption', 'Resume', 'send', true))
  if (canBe('paused', batch.state)) actions.push(act('pause', 'Pause', 'pause'))
  const kept = hasMailServer ? batch.mailsKept : 0
  if (canBe('retried', batch.state) && failed + kept > 0)
    actions.push(act('deliveries', againText(failed, kept), kept > 0 ? 'send' : 'refresh', kept > 0))
  const { unsent } = leftOf(batch)
  if (batch.state === 'cancelled' && unsent > 0 && !isRestSent)
    actions.push(act('rest', `Invite the ${number(unsent)}`, 'send', true))
  return {
    actions,
    cancellation: canBe('cancelled', batch.state) ? { href: `${base}/cancellation`, text: meaningOf(batch) } : null
  }
}

function againText(failed: number, kept: number): string {
  if (kept === 0) return `Try ${counted(failed, 'failed email')} again`
  return failed === 0 ? `Send ${counted(kept, 'kept email')}` : `Send ${counted(kept + failed, 'kept or failed email')}`
}

function meaningOf(batch: BatchRow): string {
  const open = batch.mailsQueued + batch.mailsHeld + batch.mailsDeferred
  if (batch.state === 'checked') return 'Nothing has been sent yet, and nothing will be.'
  if (open === 0) return 'Email already sent cannot be recalled. Nothing more will be sent.'
  return `${counted(open, 'invitation')} ${open === 1 ? 'has' : 'have'} not been sent yet and will not be. You can invite those people later.`
}

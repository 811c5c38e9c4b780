/** What an admin may do with a batch, as buttons. Pure. */
import { canBe } from '../batch.ts'
import type { BatchRow } from '../store.ts'

interface Action {
  href: string
  label: string
  icon: string
  primary: boolean
}

const number = (value: number) => value.toLocaleString('en')
const counted = (value: number, one: string) => `${number(value)} ${one}${value === 1 ? '' : 's'}`

/** The buttons of a batch in its state, and what cancelling it would mean, which is asked before. */
export function actionsFor(batch: BatchRow, mayAct: boolean) {
  const base = `/batches/${batch.id}`
  const act = (path: string, label: string, icon: string, primary = false): Action => ({
    ...{ href: `${base}/${path}`, label, icon, primary }
  })
  if (!mayAct) return { actions: [], cancellation: null }
  const failed = batch.mailsFailed + batch.mailsUnknown
  const actions: Action[] = []
  if (canBe('sent', batch.state) && batch.invite > 0)
    actions.push(act('sending', `Send ${counted(batch.invite, 'invitation')}`, 'send', true))
  if (canBe('resumed', batch.state)) actions.push(act('resumption', 'Go on', 'send', true))
  if (canBe('paused', batch.state)) actions.push(act('pause', 'Pause', 'pause'))
  if (canBe('retried', batch.state) && failed > 0)
    actions.push(act('deliveries', `Try ${counted(failed, 'failed mail')} again`, 'refresh'))
  return {
    actions,
    cancellation: canBe('cancelled', batch.state) ? { href: `${base}/cancellation`, text: meaningOf(batch) } : null
  }
}

function meaningOf(batch: BatchRow): string {
  const open = batch.mailsQueued + batch.mailsDeferred
  if (batch.state === 'checked') return 'Nothing was sent yet, and nothing will be.'
  if (open === 0) return 'What has left has left. Nothing more will be sent.'
  return `${counted(open, 'mail')} ${open === 1 ? 'has' : 'have'} not left and will not. Whoever they were for can be invited again.`
}

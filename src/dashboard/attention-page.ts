import { factsOf, headingOf } from '../batches/report/batch-page.ts'
import { counted } from '../lib/words.ts'
import type { troubledBatches } from './store.ts'

/** A batch that Rollcall stopped, or whose upload was interrupted. */
export function troubledBatch(row: Awaited<ReturnType<typeof troubledBatches>>[number], timeZone: string) {
  const { source, created, creator } = factsOf(row, timeZone)
  return { href: `/batches/${row.id}`, heading: headingOf(row), source, created, creator, reason: row.stopReason }
}

const reply = 'Open a person to see what the mail server said.'
const troubles = {
  failed: { words: 'could not be delivered', hint: reply },
  bounced: { words: 'bounced', hint: reply },
  unknown: { words: 'may or may not have arrived', hint: reply },
  suppressed: { words: 'can’t be emailed because of an opt-out', hint: 'Open a person to allow email again.' }
}

/** Open invitations whose newest email failed or is blocked, by reason. */
export function troubledMails(counts: readonly { enrollment: string; delivery: string | null; count: number }[]) {
  return Object.entries(troubles).flatMap(([state, { words, hint }]) => {
    const mine = counts.filter(row => row.enrollment === 'invited' && row.delivery === state)
    const count = mine.reduce((sum, row) => sum + row.count, 0)
    const text = `${counted(count, 'invitation')} ${words}.`
    return count === 0 ? [] : [{ state, count, text, hint, href: `/people?status=invited&delivery=${state}` }]
  })
}

/** What needs somebody's attention, in words and with the way to it. Pure. */
import { factsOf, headingOf } from '../batches/report/batch-page.ts'
import type { troubledBatches } from './store.ts'

/** A batch that Rollcall stopped, or whose upload was cut. */
export function troubledBatch(row: Awaited<ReturnType<typeof troubledBatches>>[number], timeZone: string) {
  const { source, created, creator } = factsOf(row, timeZone)
  return { href: `/batches/${row.id}`, heading: headingOf(row), source, created, creator, reason: row.stopReason }
}

const troubles = {
  failed: 'could not be delivered',
  bounced: 'came back',
  unknown: 'may or may not have arrived'
}

/** Open invitations whose newest mail did not get through, by what became of it. */
export function troubledMails(counts: readonly { enrollment: string; delivery: string | null; count: number }[]) {
  return Object.entries(troubles).flatMap(([state, words]) => {
    const mine = counts.filter(row => row.enrollment === 'invited' && row.delivery === state)
    const count = mine.reduce((sum, row) => sum + row.count, 0)
    const text = `${count.toLocaleString('en')} ${count === 1 ? 'invitation' : 'invitations'} ${words}.`
    return count === 0 ? [] : [{ state, count, text, href: `/people?status=invited&delivery=${state}` }]
  })
}

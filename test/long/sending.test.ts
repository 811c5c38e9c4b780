import t from 'tap'
import { killDuringSending } from '../support/faults.ts'

t.setTimeout(1_200_000)
t.test('R3: thirty kills while 30,000 emails are sent', { timeout: 1_200_000 }, t =>
  killDuringSending(t, { rounds: 30, lines: 30_000 })
)
t.test('R3: emails in flight when a worker dies are sent about a minute later', { timeout: 300_000 }, t =>
  killDuringSending(t, { rounds: 1, lines: 3_000, isPatient: true })
)

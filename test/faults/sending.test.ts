import t from 'tap'
import { killDuringSending } from '../support/faults.ts'

t.test(
  'R3: a worker that is killed while it sends loses no mail, and what it repeats has the same link and Message-ID',
  t => killDuringSending(t, { rounds: 2, lines: 1_500 })
)

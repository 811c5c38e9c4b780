import t from 'tap'
import { killDuringSending } from '../support/faults.ts'

t.test('R3: a worker that is killed while sending loses no email, and repeats have the same link and Message-ID', t =>
  killDuringSending(t, { rounds: 1, lines: 1_500 })
)

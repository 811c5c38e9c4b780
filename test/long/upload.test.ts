import t from 'tap'
import { killDuringUpload } from '../support/faults.ts'

t.setTimeout(1_200_000)
t.test('R1: twenty kills during uploads of a million lines', { timeout: 1_200_000 }, t =>
  killDuringUpload(t, { rounds: 20, lines: 1_000_000 })
)

import t from 'tap'
import { killDuringJudging } from '../support/faults.ts'

t.setTimeout(1_200_000)
t.test('R2: twenty kills while 300,000 lines are judged', { timeout: 1_200_000 }, t =>
  killDuringJudging(t, { rounds: 20, lines: 300_000 })
)

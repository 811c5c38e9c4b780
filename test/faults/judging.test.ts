import t from 'tap'
import { killDuringJudging } from '../support/faults.ts'

t.test('R2: a worker that is killed while judging loses no line, repeats none and changes no verdict', t =>
  killDuringJudging(t, { rounds: 1, lines: 20_000 })
)

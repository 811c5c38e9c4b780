import t from 'tap'
import { killDatabase } from '../support/database-faults.ts'

t.setTimeout(1_200_000)
t.test('R5: killing the database forty times under load', { timeout: 1_200_000 }, t => killDatabase(t, { rounds: 40 }))

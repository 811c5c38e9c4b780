import t from 'tap'
import { killDatabase } from '../support/database-faults.ts'

t.test('R5: killing the database under load ends no process, and loses no acknowledged data', t =>
  killDatabase(t, { rounds: 2 })
)

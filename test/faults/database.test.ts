import t from 'tap'
import { killDatabase } from '../support/database-faults.ts'

t.test('R5: a database that is killed under load ends nothing, and nothing that was acknowledged is lost', t =>
  killDatabase(t, { rounds: 2 })
)

import t from 'tap'
import { killDuringUpload } from '../support/faults.ts'

t.test(
  'R1, S30: a process that is killed during an upload sends none of it; uploading it again invites everyone once',
  t => killDuringUpload(t, { rounds: 1, lines: 20_000 })
)

import t from 'tap'
import { perMinute } from '../../src/web/per-minute.ts'

t.test('each user has a limit per minute, and is told how long to wait', async t => {
  let now = 0
  const wait = perMinute(2, () => now)
  t.same([wait(1), wait(1), wait(1), wait(2)], [0, 0, 60, 0])
  now = 45_000
  t.equal(wait(1), 15)
  now = 60_000
  t.same([wait(1), wait(1), wait(1)], [0, 0, 60])
})

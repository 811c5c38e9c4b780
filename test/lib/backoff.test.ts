import { test } from 'tap'
import { backoffSeconds } from '../../src/lib/backoff.ts'

test('it waits 1, 5, 15, 30 minutes, 1, 2, 4, 8 and then 12 hours', t => {
  const minutes = Array.from({ length: 11 }, (_, i) => backoffSeconds(i + 1, 0.5) / 60)
  t.same(minutes.map(Math.round), [1, 5, 15, 30, 60, 120, 240, 480, 720, 720, 720])
  t.equal(Math.round(backoffSeconds(1, 0)), 48)
  t.ok(backoffSeconds(1, 0.999) < 72)
  t.equal(backoffSeconds(0, 0.5), backoffSeconds(1, 0.5))
  t.end()
})

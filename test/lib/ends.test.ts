import t from 'tap'
import { first, last } from '../../src/lib/ends.ts'

t.test('a list that must not be empty has a first and a last element, or it throws', async t => {
  t.equal(first(['a', 'b']), 'a')
  t.equal(last(['a', 'b']), 'b')
  t.equal(first([0]), 0, 'what is false in a condition is there all the same')
  t.throws(() => first([]), { message: /empty list/ })
  t.throws(() => last([]), { message: /empty list/ })
})

import t from 'tap'
import { cutText } from '../../src/lib/cut.ts'

t.test('a cut never leaves half a character', async t => {
  t.equal(cutText('abc', 3), 'abc')
  t.equal(cutText('abcd', 3), 'abc')
  t.equal(cutText('ab😀', 3), 'ab')
  t.equal(cutText('ab😀', 4), 'ab😀')
  t.equal(cutText('ab😀c', 4), 'ab😀')
  t.equal(cutText('😀', 1), '')
  t.equal(cutText('a\uD83D', 5), 'a\uFFFD', 'a half that was there before is replaced')
})

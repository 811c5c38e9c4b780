import t from 'tap'
import { cutText, storable } from '../../../src/lib/text/cut.ts'

t.test('a cut never leaves half a character', async t => {
  t.equal(cutText('abc', 3), 'abc')
  t.equal(cutText('abcd', 3), 'abc')
  t.equal(cutText('ab😀', 3), 'ab')
  t.equal(cutText('ab😀', 4), 'ab😀')
  t.equal(cutText('ab😀c', 4), 'ab😀')
  t.equal(cutText('😀', 1), '')
  t.equal(cutText('', 5), '')
  t.equal(cutText('abc', 0), '')
  t.equal(cutText('a\uD83D', 5), 'a\uFFFD', 'a half that was there before is replaced')
})

t.test('text that PostgreSQL accepts neither as text nor as JSON is replaced', async t => {
  t.equal(storable('a\0b\ud83dc\ude00'), 'a\uFFFDb\uFFFDc\uFFFD')
  t.equal(storable('plain 😀'), 'plain 😀')
})

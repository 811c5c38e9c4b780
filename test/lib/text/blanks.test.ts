import t from 'tap'
import { trimBlanks, trimStart } from '../../../src/lib/text/blanks.ts'

t.test('white space and invisible characters are trimmed from both ends and kept within', async t => {
  for (const blank of [
    ' ',
    '\t',
    '\r\n',
    '\v\f',
    '\u0085',
    '\u00a0',
    '\u00ad',
    '\u200b\u200d',
    '\u202e',
    '\u2028',
    '\u3000',
    '\ufeff'
  ]) {
    t.equal(trimBlanks(`${blank}a${blank}b${blank}`), `a${blank}b`)
    t.equal(trimStart(`${blank}a${blank}`), `a${blank}`)
    t.equal(trimBlanks(blank.repeat(3)), '')
  }
  t.equal(trimBlanks('\u0001a\u0000'), '\u0001a\u0000')
})

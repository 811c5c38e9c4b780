import t from 'tap'
import { readName } from '../../src/lib/name.ts'

t.test('a name is kept as it reads', async t => {
  const names: [typed: string, kept: string][] = [
    ['Kim', 'Kim'],
    ['  Kim \u00a0 Lee\u3000', 'Kim Lee'],
    ['Jose\u0301', 'José'],
    ['O’Neil-Śmith, Jr.', 'O’Neil-Śmith, Jr.'],
    ['宇多田ヒカル', '宇多田ヒカル'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['ක්\u200dෂ', 'ක්\u200dෂ'],
    ['👩\u200d💻', '👩\u200d💻'],
    ['❤\ufe0f', '❤\ufe0f'],
    ['-', '-'],
    ['7', '7'],
    ['\u202eadA\u202c', 'adA'],
    ['\u2067Ada\u2069', 'Ada'],
    ['\u200fعلي\u200e', 'علي'],
    ['x'.repeat(200), 'x'.repeat(200)]
  ]
  for (const [typed, kept] of names) t.equal(readName(typed), kept, encodeURIComponent(typed))
})

t.test('F15: a name without visible characters is not a name', async t => {
  const none = ['', ' ', '\u00a0', '\u200b', '\u2060', '\u3164', '\u115f', '\uffa0', '\u00ad\u00ad', '\ufeff', '\u202e']
  const others = [
    '\u2800',
    '\u{1d159}',
    '\u180e',
    '\ufe0f',
    '\u{e0041}',
    '\u0301',
    '\u200d',
    '\u034f',
    '\ue000',
    '\u200b \u2060'
  ]
  for (const text of [...none, ...others]) t.equal(readName(text), undefined, encodeURIComponent(text))
})

t.test('a name is on one line and has at most 200 characters', async t => {
  for (const text of ['a\nb', 'a\0b', 'a\x1b[31m', 'a\u2028b', 'a\u2029b', 'a\x85b', 'x'.repeat(201)])
    t.equal(readName(text), undefined, encodeURIComponent(text.slice(0, 20)))
})

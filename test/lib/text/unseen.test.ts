import t from 'tap'
import { revealUnseen, withoutUnseen } from '../../../src/lib/text/unseen.ts'

t.test('invisible characters are written out, and all others stay', t => {
  t.equal(revealUnseen('kim\u202egpj.exe@larkfield.example'), 'kim⟨U+202E⟩gpj.exe@larkfield.example')
  t.equal(
    revealUnseen('a\u200bb\u0000c\u001bd\u{e0041}e\u2028f\u2029g\ufeff'),
    'a⟨U+200B⟩b⟨U+0000⟩c⟨U+001B⟩d⟨U+E0041⟩e⟨U+2028⟩f⟨U+2029⟩g⟨U+FEFF⟩'
  )
  for (const text of ['', 'kim@larkfield.example', 'a\tb', 'Žofie שלום 😀', '⟨U+202E⟩'])
    t.equal(revealUnseen(text), text)
  t.end()
})

t.test('invisible characters can be dropped', t => {
  t.equal(withoutUnseen('kim\u202e\u200b.doe\u0007@larkfield.example'), 'kim.doe@larkfield.example')
  t.end()
})

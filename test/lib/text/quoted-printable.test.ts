import fc from 'fast-check'
import { test } from 'tap'
import { decodeQuotedPrintable, encodeInset, encodeQuotedPrintable } from '../../../src/lib/text/quoted-printable.ts'

const text = fc.string({ unit: 'binary', maxLength: 400 }).map(s => s.replace(/[\r\n]+/g, '\n'))
const isNarrow = (encoded: string) =>
  encoded.split('\r\n').every(line => line.length <= 76 && !line.startsWith('.') && /^[\x20-\x7e\t]*$/.test(line))

test('text can be decoded unchanged, in short ASCII lines that never begin with a dot', t => {
  fc.assert(
    fc.property(text, original => {
      const encoded = encodeQuotedPrintable(original)
      return isNarrow(encoded) && decodeQuotedPrintable(encoded).toString() === original.replace(/\n/g, '\r\n')
    }),
    { numRuns: 2_000 }
  )
  t.end()
})

test('an inset between two texts decodes to the three in a row', t => {
  const word = fc.string({ unit: 'binary', maxLength: 200 }).map(s => s.replace(/[\r\n]+/g, ''))
  fc.assert(
    fc.property(word, word, word, (before, inset, after) => {
      const encoded = encodeQuotedPrintable(before) + encodeInset(inset) + encodeQuotedPrintable(after)
      return isNarrow(encoded) && decodeQuotedPrintable(encoded).toString() === before + inset + after
    }),
    { numRuns: 2_000 }
  )
  t.end()
})

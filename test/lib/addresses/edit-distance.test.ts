import fc from 'fast-check'
import t from 'tap'
import { editDistance } from '../../../src/lib/addresses/edit-distance.ts'

t.test('it counts wrong letters up to the limit', async t => {
  t.equal(editDistance('larkfield', 'larkfield', 2), 0)
  t.equal(editDistance('larkfeld', 'larkfield', 2), 1)
  t.equal(editDistance('larkfeild', 'larkfield', 2), 2)
  t.equal(editDistance('larkfeilds', 'larkfield', 2), Number.POSITIVE_INFINITY)
  t.equal(editDistance('', 'ab', 2), 2)
  t.equal(editDistance('a', '', 0), Number.POSITIVE_INFINITY)
})

t.test('it agrees with the definition for every limit', async t => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 })
  const property = fc.property(word, word, fc.integer({ min: 0, max: 4 }), (from, to, limit) => {
    const distance = byDefinition(from, to)
    return editDistance(from, to, limit) === (distance > limit ? Number.POSITIVE_INFINITY : distance)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})

function byDefinition(from: string, to: string, known = new Map<string, number>()): number {
  if (from === '' || to === '') return from.length + to.length
  const key = `${from} ${to}`
  const before = known.get(key)
  if (before !== undefined) return before
  const changed = byDefinition(from.slice(1), to.slice(1), known) + (from[0] === to[0] ? 0 : 1)
  const left = byDefinition(from.slice(1), to, known) + 1
  const added = byDefinition(from, to.slice(1), known) + 1
  known.set(key, Math.min(changed, left, added))
  return Math.min(changed, left, added)
}

import fc from 'fast-check'
import { test } from 'tap'
import { TextTable } from '../../../src/lib/text/text-table.ts'

test('it keeps the same entries as a map', async t => {
  const text = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('', 'a', 'b', 'ab', 'ba', 'ø', '😀'))
  const deed = fc.record({ is: fc.constantFrom('add', 'take'), text, number: fc.nat(1000) })
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 300 }), deeds => {
      const [table, map] = [new TextTable(), new Map<string, number>()]
      for (const { is, text, number } of deeds) {
        if (is === 'add' && table.add(text, number) === map.has(text)) return false
        if (is === 'add' && !map.has(text)) map.set(text, number)
        if (is === 'take' && table.take(text) !== map.get(text)) return false
        if (is === 'take') map.delete(text)
        if (table.size !== map.size) return false
      }
      return [...map].every(([text, number]) => table.take(text) === number)
    })
  )
  t.pass()
})

test('half a million similar names are kept apart', async t => {
  const table = new TextTable()
  const nameOf = (n: number) => `uid=person${n},ou=people,dc=larkfield,dc=example`
  for (let n = 0; n < 500_000; n += 1) if (!table.add(nameOf(n), n)) t.fail(nameOf(n))
  t.equal(table.size, 500_000)
  for (let n = 500_000; n < 1_000_000; n += 1) if (table.take(nameOf(n)) !== undefined) t.fail(nameOf(n))
  for (let n = 0; n < 500_000; n += 1) if (table.take(nameOf(n)) !== n) t.fail(nameOf(n))
  t.equal(table.size, 0)
})

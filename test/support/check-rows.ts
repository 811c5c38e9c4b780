/** Makes every row of hand-written SQL prove that it has the columns that the code says. */
import { type TObject, type TProperties, Type } from 'typebox'
import { Value } from 'typebox/value'
import { checkRows } from '../../src/db/rows.ts'

const objects = new WeakMap<TProperties, TObject>()

checkRows((columns, row) => {
  const schema = objects.get(columns) ?? Type.Object(columns)
  objects.set(columns, schema)
  if (Value.Check(schema, row)) return
  const wrong = Value.Errors(schema, row).map(each => `${each.instancePath} ${each.message}`)
  throw new Error(`A row is not what it claims: ${wrong.join(', ')}`)
})

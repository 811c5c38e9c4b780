/** Typed rows of hand-written SQL; only tests check that statements return what their types say. */
import { sql } from 'drizzle-orm'
import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import type { Db } from './client.ts'

export const int = Type.Integer()
export const float = Type.Number()
export const text = Type.String()
export const bool = Type.Boolean()
export const bytes = Type.Unsafe<Buffer>({ type: 'object' })
export const oneOf = Type.Enum
export const listOf = Type.Array
export const record = Type.Object
export const mapOf = <T extends TSchema>(schema: T) => Type.Record(Type.String(), schema)

export function orNull<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}

/** A row with these columns. */
export type RowOf<Columns extends TProperties> = { [Name in keyof Columns]: Static<Columns[Name]> }

/** Throws for a row that does not have the columns. */
export type CheckRow = (columns: TProperties, row: object) => void
let check: CheckRow | undefined

/** Checks every row from now on, in tests: in production the columns are only types and cost nothing. */
export function checkRows(by: CheckRow): void {
  check = by
}

/** Runs the statement that follows and returns its rows: columns in camelCase, as the client renames them. */
export function rowsOf<Columns extends TProperties>(db: Db, columns: Columns) {
  return async (parts: TemplateStringsArray, ...values: unknown[]): Promise<RowOf<Columns>[]> => {
    const rows = await db.execute(sql(parts, ...values))
    claim(columns, rows)
    return rows
  }
}

/** Types rows by their columns; only tests check them. */
export function claim<Columns extends TProperties>(
  columns: Columns,
  rows: readonly object[]
): asserts rows is RowOf<Columns>[] {
  if (check) for (const row of rows) check(columns, row)
}

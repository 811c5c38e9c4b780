/** Rows of hand-written SQL: what a statement is said to return, and in tests the proof that it does. */
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

/** What rows with these columns are. */
export type RowOf<Columns extends TProperties> = { [Name in keyof Columns]: Static<Columns[Name]> }

/** Throws for a row that does not have the columns. */
export type CheckRow = (columns: TProperties, row: object) => void
let check: CheckRow | undefined

/** Has every row checked from now on. Only tests do: in production the columns are types and cost nothing. */
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

/** Takes rows for what they claim to be; in tests they have to prove it. */
export function claim<Columns extends TProperties>(
  columns: Columns,
  rows: readonly object[]
): asserts rows is RowOf<Columns>[] {
  if (check) for (const row of rows) check(columns, row)
}

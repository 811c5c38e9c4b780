/** What was caught, whose type is unknown. Pure. */

/** Any value may be thrown: as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

export const messageOf = (thrown: unknown): string => asError(thrown).message

/** The code of an error of Node, of the driver or of a library; undefined where it has none. */
export function codeOf(thrown: unknown): string | undefined {
  const code: unknown = thrown instanceof Object && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : undefined
}

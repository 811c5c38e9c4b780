/** JavaScript may throw any value. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

export const messageOf = (thrown: unknown): string => asError(thrown).message

export function codeOf(thrown: unknown): string | undefined {
  const code: unknown = thrown instanceof Object && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : undefined
}

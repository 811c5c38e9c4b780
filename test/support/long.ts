/** What `npm test` shows with some variants, `--long` shows with all: it also runs each file that imports this one. */
export const isLong = process.env.ROLLCALL_LONG === '1'

/**
 * The variants of one route or page of many, which take turns: number `turn` gets one variant in `of`. All are used, since there are more
 * routes than `of`. With `--long` each gets all.
 */
export const share = <T>(variants: readonly T[], turn: number, of: number): T[] =>
  variants.filter((_, index) => isLong || (index + turn) % of === 0)

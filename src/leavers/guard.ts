/** Whether `going` of `all` people need approval: more than max(5, 10 %), or everyone. */
export function isTooMany(going: number, all: number): boolean {
  return going > Math.max(5, all / 10) || (going > 0 && going >= all)
}

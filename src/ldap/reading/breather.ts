/** Long loops over what a directory sent let others have their turn: pages open while a group of a million is read. */
import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work in a row. */
const longest = 10
/** Steps between two looks at the clock. */
const steps = 128

/** To be called at every step of a loop; a promise when it is the turn of others. */
export function breather(): () => Promise<void> | undefined {
  let since = performance.now()
  let step = 0
  return () => {
    if (++step % steps !== 0 || performance.now() - since < longest) return undefined
    return setImmediate().then(() => {
      since = performance.now()
    })
  }
}

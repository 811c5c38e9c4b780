/** Yields in long loops over directory data, so that pages open while a group of a million is read. */
import { setImmediate } from 'node:timers/promises'

const longest = 10
const steps = 128

/** Call at every step of a loop; returns a promise when it is time to yield. */
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

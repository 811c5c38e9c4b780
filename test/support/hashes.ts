/** argon2 answers the same for the same password and salt, so a run of tests need not compute that again: 80 ms each. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { Test } from 'tap'

type Derive = typeof crypto.argon2
type Answer = Parameters<Derive>[2]

let isRemembering = true

/** Must run before Rollcall is imported. */
export function rememberHashes(): void {
  const derive: Derive = crypto.argon2
  const known = new Map<string, Buffer>()
  const remembering = ((algorithm, options, answer: Answer) => {
    const key = JSON.stringify([algorithm, options])
    const tag = known.get(key)
    // never at once: callers rely on the order
    if (tag && isRemembering) return void setImmediate(answer, null, Buffer.from(tag))
    derive(algorithm, options, (error, tag) => {
      if (!error) known.set(key, Buffer.from(tag))
      answer(error, tag)
    })
  }) as Derive
  crypto.argon2 = remembering
  syncBuiltinESMExports()
}

/** For tests of what happens while a hash is computed: here, all of them take their time. */
export function computeHashes(t: Test): void {
  isRemembering = false
  t.teardown(() => {
    isRemembering = true
  })
}

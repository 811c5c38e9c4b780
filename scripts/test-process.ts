/**
 * One process of a test run: takes the names of test files from stdin, one per line, and runs each as a subtest, one after
 * the other. A process for each file would load tap and Rollcall 200 times. `import t from 'tap'` gives each
 * file its own test, so its hooks, teardowns and limits end with the file.
 */
import { registerHooks } from 'node:module'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import tap, { type Test } from 'tap'
import { endLeftovers } from '../test/support/at-exit.ts'
import { rememberHashes } from '../test/support/hashes.ts'
import { secondsOfCpu } from './cpu.ts'

const tests = new Map<string, Test>()
Object.assign(globalThis, { rollcallTests: tests })

rememberHashes()

const scheme = 'rollcall-tap:'
registerHooks({
  resolve(specifier, context, next) {
    const isOfTest = specifier === 'tap' && tests.has(context.parentURL ?? '')
    return isOfTest ? { url: scheme + context.parentURL, shortCircuit: true } : next(specifier, context)
  },
  load(url, context, next) {
    if (!url.startsWith(scheme)) return next(url, context)
    const own = `globalThis.rollcallTests.get(${JSON.stringify(url.slice(scheme.length))})`
    const source = `export const t = ${own}\nexport const { test } = t\nexport default t`
    return { format: 'module', shortCircuit: true, source }
  }
})

const longest = process.env.ROLLCALL_LONG ? 1_500_000 : 300_000
for await (const file of createInterface({ input: process.stdin })) {
  const url = pathToFileURL(path.resolve(file)).href
  const before = secondsOfCpu()
  await tap.test(file, { timeout: longest }, async t => {
    tests.set(url, t)
    await import(url)
  })
  endLeftovers()
  const [own, children] = secondsOfCpu().map((seconds, index) => seconds - before[index]!) as [number, number]
  console.log(`# cpu ${own.toFixed(2)} ${children.toFixed(2)} ${file}`)
}

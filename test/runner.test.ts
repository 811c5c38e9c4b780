/** The runner of these tests: a failure in a file fails the run and does not affect other files. */
import fs from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { runFiles } from '../scripts/test-pool.ts'

const good = `
  import t, { test } from 'tap'
  globalThis.order = []
  t.before(() => globalThis.order.push('before'))
  t.teardown(() => globalThis.order.push('after'))
  test('first', async t => t.equal(globalThis.order.join(), 'before'))
  test('second', async t => t.ok(true))`
const next = `
  import t from 'tap'
  t.same(globalThis.order ?? ['before', 'after'], ['before', 'after'], 'the file before has ended')`

async function run(t: Test, programs: Record<string, string>) {
  const folder = t.testdir({})
  const files = Object.entries(programs).map(([name, program]) => {
    fs.writeFileSync(path.join(folder, `${name}.test.ts`), program)
    return path.join(folder, `${name}.test.ts`)
  })
  const printed: string[] = []
  const environment = { ...process.env, TAP_TIMEOUT: '0' }
  const { signal } = new AbortController()
  const outcome = await runFiles(files, { environment, signal, apart: false, print: text => printed.push(text) })
  return { ...outcome, printed: printed.join('\n') }
}

t.test('passed files are counted, each with its own hooks', async t => {
  const { passed, failed, costs } = await run(t, { one: good, two: next, three: good, four: next, five: next })
  t.same({ passed, failed }, { passed: 7, failed: 0 })
  t.equal(costs.length, 5)
})

for (const [what, program, counts] of [
  ['an assertion that fails', `import t from 'tap'\nt.ok(true)\nt.equal(1, 2, 'odd')`, { passed: 2, failed: 1 }],
  [
    'an error outside of all tests',
    `import t from 'tap'\nt.ok(true)\nthrow new Error('odd')`,
    { passed: 2, failed: 1 }
  ],
  ['a file that cannot be read', `import './odd.ts'`, { passed: 1, failed: 1 }],
  ['a process that is killed', `console.log('odd')\nprocess.kill(process.pid, 'SIGKILL')`, { passed: 1, failed: 1 }]
] as const)
  t.test(`${what} fails the run, and the other files run`, async t => {
    const { passed, failed, printed } = await run(t, { bad: program, next })
    t.same({ passed, failed }, counts)
    t.match(printed, /^not ok - .*bad\.test\.ts/m)
    if (!what.includes('killed')) t.match(printed, 'odd')
    t.match(printed, /^ok - .*next\.test\.ts/m)
  })

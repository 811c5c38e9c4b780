/** A few processes share the test files of a run: a free one takes the next file. */
import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface Outcome {
  passed: number
  failed: number
  /** CPU seconds of each file: of its process, and of the processes that it started. */
  costs: { file: string; own: number; children: number }[]
}

export interface PoolOptions {
  environment: NodeJS.ProcessEnv
  /** A new process for each file: slower, but shows whether an earlier file caused a failure. */
  apart: boolean
  /** Ends the run and its processes. */
  signal: AbortSignal
  /** Each file's result, and what failed in it. */
  print: (text: string) => void
}

// tests often wait for PostgreSQL, a mail server or a browser, so one more process than cores
const processes = os.availableParallelism() + 1
// a young generation of this size avoids most garbage collection
const args = ['--max-semi-space-size=32', path.join(import.meta.dirname, 'test-process.ts')]
/** A file's own process ends it after five minutes (25 for long ones), unless its event loop hangs. */
const longestFile = 1_800_000
/** How long something that a file left open may keep its process from ending. */
const longestEnd = 20_000

export async function runFiles(files: string[], options: PoolOptions): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, costs: [] }
  const waiting = [...files]
  const work = async () => {
    while (waiting.length > 0 && !options.signal.aborted) await runProcess(waiting, options, outcome)
  }
  await Promise.all(Array.from({ length: Math.min(processes, files.length) }, work))
  return outcome
}

/** Gives a new process one file after another, until none waits or one has failed. */
async function runProcess(waiting: string[], options: PoolOptions, outcome: Outcome) {
  const { environment, apart, signal, print } = options
  const child = spawn(process.execPath, args, { env: environment, signal, stdio: ['pipe', 'pipe', 'inherit'] })
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  const ended = new Promise(resolve => child.once('close', resolve))
  const files: string[] = []
  let isRunning = false
  let alarm: NodeJS.Timeout | undefined
  const give = (file: string | undefined) => {
    clearTimeout(alarm)
    isRunning = file !== undefined
    alarm = setTimeout(() => child.kill('SIGKILL'), isRunning ? longestFile : longestEnd)
    if (file === undefined) child.stdin.end()
    else files.push(file)
    if (file !== undefined) child.stdin.write(`${file}\n`)
  }
  give(waiting.shift())
  const read = reader(outcome, print)
  for await (const line of createInterface({ input: child.stdout })) {
    const result = read(line)
    if (result) give(result === 'failed' || apart ? undefined : waiting.shift())
  }
  await ended
  clearTimeout(alarm)
  // 1: a test failed, and is counted
  const isSound = !isRunning && (child.exitCode === 0 || child.exitCode === 1)
  if (isSound || signal.aborted) return
  outcome.failed += 1
  const end = child.signalCode ?? child.exitCode
  if (isRunning) print(`not ok - ${files.at(-1)}: its process ended with ${end}`)
  else print(`not ok - one of these left something open (${end}; try --apart): ${files.join(' ')}`)
}

/** Reads the TAP of a process line by line, prints each file's result, and returns it when the file ends. */
function reader(outcome: Outcome, print: PoolOptions['print']) {
  let said: string[] = []
  let isSaying = false
  let failed = 0
  let hasFailed = false
  return (line: string): 'passed' | 'failed' | undefined => {
    // a file's assertions are indented; a test with a time only sums up its own assertions
    const assertion = /^\s+(not )?ok \d+(?!.*# (?:SKIP|TODO|time=))/.exec(line)
    if (assertion?.[1]) failed += 1
    else if (assertion) outcome.passed += 1
    const whole = /^((?:not )?ok) \d+ - (.*?)\s*\{?$/.exec(line)
    if (whole) {
      print([`${whole[1]} - ${whole[2]}`, ...said].join('\n'))
      hasFailed = whole[1] === 'not ok'
      outcome.failed += hasFailed ? Math.max(failed, 1) : 0
      isSaying = false
    } else {
      isSaying = /^\s*not ok/.test(line) || (isSaying && !/^\s*ok /.test(line) && !/^\s*\.\.\.$/.test(line))
      if (isSaying) said.push(line)
    }
    const [, own, children, file] = /^# cpu ([\d.]+) ([\d.]+) (.*)$/.exec(line) ?? []
    if (!file) return undefined
    outcome.costs.push({ file, own: Number(own), children: Number(children) })
    said = []
    failed = 0
    return hasFailed ? 'failed' : 'passed'
  }
}

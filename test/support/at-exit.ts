/** What a test file started ends with the file, even if it fails or a signal ends it. */
import os from 'node:os'

let actions: (() => void)[] = []
let isListening = false

/** Runs `action`, which must be synchronous, when this test file or this process ends; the last one first. */
export function atExit(action: () => void): void {
  if (!isListening) listen()
  actions.push(action)
}

/** Ends whatever a test file left running before its process runs the next one. */
export function endLeftovers(): void {
  const left = actions.reverse()
  actions = []
  for (const action of left) action()
}

function listen() {
  isListening = true
  process.once('exit', endLeftovers)
  // without a listener a signal ends Node.js without that event
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]))
}

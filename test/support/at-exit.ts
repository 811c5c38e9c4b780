/** What a test file started ends with the file, also when that fails or is ended by a signal. */
import os from 'node:os'

const actions: (() => void)[] = []

/** Runs `action`, which cannot wait for anything, when this process ends; the last one first. */
export function atExit(action: () => void): void {
  if (actions.length === 0) listen()
  actions.push(action)
}

function listen() {
  process.once('exit', () => {
    for (const action of actions.reverse()) action()
  })
  // without a listener a signal ends Node.js without that event
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]))
}

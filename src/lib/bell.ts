export interface Bell {
  ring: () => void
  /** Resolves when it rings, when it rang since the last wait, or after `milliseconds`. */
  wait: (milliseconds: number) => Promise<void>
}

export function newBell(): Bell {
  let hasRung = false
  let wake = () => {}
  return {
    ring() {
      hasRung = true
      wake()
    },
    async wait(milliseconds) {
      if (!hasRung) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, milliseconds)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      hasRung = false
      wake = () => {}
    }
  }
}

/** Queues password hashes: each takes 80 ms of a core. Bounded per network, so that a flood delays no other network. */
import { availableParallelism } from 'node:os'
import { first } from '../ends.ts'

/** An invitation link, or a browser that has signed in before, proves something. */
export type Asker = 'sign-up' | 'known' | 'stranger'

export interface Turn {
  asker: Asker
  network: string
  /** Aborted when the request is over: its place goes to the next one. */
  signal?: AbortSignal | undefined
}

export class LineFull extends Error {
  readonly isNetwork: boolean
  readonly retryAfterSeconds: number

  constructor(isNetwork: boolean, retryAfterSeconds: number) {
    super('the line before the passwords is full')
    this.isNetwork = isNetwork
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export class TurnOver extends Error {}

type Limits = Record<Asker, { network: number; all: number }>

/** A thousand people of one office may sign up at the same moment (R20); a sign-in waits a few seconds at most. */
const limits: Limits = {
  'sign-up': { network: 3000, all: 5000 },
  known: { network: 100, all: 300 },
  stranger: { network: 40, all: 150 }
}
/** Sign-ups go first, but every fourth turn is for sign-ins. */
const turnsOfSignUps = 3
const secondsEach = 0.1

interface Waiting {
  networks: Map<string, Set<() => void>>
  count: number
}

export class PasswordLine {
  readonly #atOnce: number
  readonly #max: Limits
  readonly #waiting: Record<Asker, Waiting> = { 'sign-up': noOne(), known: noOne(), stranger: noOne() }
  #running = 0
  #signUpsInARow = 0

  constructor(atOnce: number, max: Limits = limits) {
    this.#atOnce = atOnce
    this.#max = max
  }

  get waiting(): number {
    const { 'sign-up': signUps, known, stranger } = this.#waiting
    return signUps.count + known.count + stranger.count
  }

  async run<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    if (turn.signal?.aborted) throw new TurnOver()
    if (this.#running < this.#atOnce) this.#running += 1
    else await this.#wait(turn)
    try {
      return await work()
    } finally {
      const next = this.#takeNext()
      if (next) next()
      else this.#running -= 1
    }
  }

  #wait({ asker, network, signal }: Turn): Promise<void> {
    const group = this.#waiting[asker]
    const mine = group.networks.get(network) ?? new Set<() => void>()
    const isNetwork = mine.size >= this.#max[asker].network
    if (isNetwork || group.count >= this.#max[asker].all)
      throw new LineFull(isNetwork, Math.ceil((group.count * secondsEach) / this.#atOnce) + 1)
    group.networks.set(network, mine)
    group.count += 1
    return new Promise((resolve, reject) => {
      const leave = () => {
        remove(group, network, go)
        reject(new TurnOver())
      }
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      mine.add(go)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #takeNext(): (() => void) | undefined {
    const { 'sign-up': signUps, known, stranger } = this.#waiting
    const isTheirs = signUps.count > 0 && (this.#signUpsInARow < turnsOfSignUps || known.count + stranger.count === 0)
    this.#signUpsInARow = isTheirs ? this.#signUpsInARow + 1 : 0
    return isTheirs ? firstOf(signUps) : (firstOf(known) ?? firstOf(stranger))
  }
}

const noOne = (): Waiting => ({ networks: new Map(), count: 0 })

function firstOf(group: Waiting): (() => void) | undefined {
  const [found] = group.networks
  if (!found) return undefined
  const [network, theirs] = found
  const go = first(theirs)
  remove(group, network, go)
  if (theirs.size > 0) {
    group.networks.delete(network)
    group.networks.set(network, theirs)
  }
  return go
}

function remove(group: Waiting, network: string, go: () => void) {
  const theirs = group.networks.get(network)
  if (!theirs?.delete(go)) return
  group.count -= 1
  if (theirs.size === 0) group.networks.delete(network)
}

const line = new PasswordLine(Math.max(1, availableParallelism()))

/** Runs `work`, which hashes one password, in turn. @throws LineFull immediately, TurnOver if the request ends. */
export const inPasswordLine: PasswordLine['run'] = (turn, work) => line.run(turn, work)

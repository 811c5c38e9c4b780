/**
 * The queue for password hashes. Each takes some 80 ms of a core, so as many run at once as there are cores. The queue is bounded per
 * network and in total: a network that sends thousands is refused immediately and delays no one else.
 */
import { availableParallelism } from 'node:os'

/** Why a hash is needed. An invitation link, or a browser that has signed in before, proves something. */
export type Asker = 'sign-up' | 'known' | 'stranger'

export interface Turn {
  asker: Asker
  /** The request's network; networks take turns. */
  network: string
  /** Aborted when the request is over: its place goes to the next one. */
  signal?: AbortSignal | undefined
}

/** The queue is full, for this network or for everyone. Nothing was done. */
export class LineFull extends Error {
  readonly isNetwork: boolean
  readonly retryAfterSeconds: number

  constructor(isNetwork: boolean, retryAfterSeconds: number) {
    super('the line before the passwords is full')
    this.isNetwork = isNetwork
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The request ended before its turn came. */
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

export function createLine(atOnce: number, max: Limits = limits) {
  const none = (): Waiting => ({ networks: new Map(), count: 0 })
  const waiting: Record<Asker, Waiting> = { 'sign-up': none(), known: none(), stranger: none() }
  let running = 0
  let signUpsInARow = 0

  async function run<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    if (turn.signal?.aborted) throw new TurnOver()
    if (running < atOnce) running += 1
    else await wait(turn)
    try {
      return await work()
    } finally {
      const next = takeNext()
      if (next) next()
      else running -= 1
    }
  }

  function wait({ asker, network, signal }: Turn): Promise<void> {
    const group = waiting[asker]
    const mine = group.networks.get(network) ?? new Set<() => void>()
    const isNetwork = mine.size >= max[asker].network
    if (isNetwork || group.count >= max[asker].all)
      throw new LineFull(isNetwork, Math.ceil((group.count * secondsEach) / atOnce) + 1)
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

  function takeNext(): (() => void) | undefined {
    const { 'sign-up': signUps, known, stranger } = waiting
    const isTheirs = signUps.count > 0 && (signUpsInARow < turnsOfSignUps || known.count + stranger.count === 0)
    signUpsInARow = isTheirs ? signUpsInARow + 1 : 0
    return isTheirs ? firstOf(signUps) : (firstOf(known) ?? firstOf(stranger))
  }

  return { run, waiting: () => waiting['sign-up'].count + waiting.known.count + waiting.stranger.count }
}

/** Takes the first of the network whose turn it is, and moves that network to the end. */
function firstOf(group: Waiting): (() => void) | undefined {
  const [found] = group.networks
  if (!found) return undefined
  const [network, theirs] = found
  const [go] = theirs
  remove(group, network, go!)
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

const line = createLine(Math.max(1, availableParallelism()))

/**
 * Runs `work`, which hashes one password, when its turn comes.  @throws LineFull immediately when too many wait; TurnOver when the request
 * ends first.
 */
export const inPasswordLine = line.run

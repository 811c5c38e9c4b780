import t from 'tap'
import { waitInWords } from '../../../src/lib/duration.ts'
import { LineFull, PasswordLine, TurnOver } from '../../../src/lib/secrets/password-line.ts'

const few = { network: 3, all: 5 }
const limits = { 'sign-up': { network: 100, all: 100 }, known: few, stranger: few }

/** A queue with one place, the order of finished work, and a way to finish the current one. */
function lineOfOne() {
  const line = new PasswordLine(1, limits)
  const done: string[] = []
  const ends: (() => void)[] = []
  const enter = (name: string, asker: 'sign-up' | 'known' | 'stranger', network = 'a', signal?: AbortSignal) =>
    line.run({ asker, network, signal }, async () => {
      done.push(name)
      await new Promise<void>(resolve => ends.push(resolve))
    })
  const drain = async () => {
    for (let quiet = 0; quiet < 5; quiet += 1) {
      while (ends.length > 0) {
        quiet = 0
        ends.shift()!()
      }
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { line, done, enter, drain }
}

t.test('F3: a network that uses up its share is refused at once, and the others are not', async t => {
  const { line, enter, drain } = lineOfOne()
  const work = [enter('now', 'stranger'), ...['b', 'c', 'd'].map(name => enter(name, 'stranger'))]
  t.match(await enter('e', 'stranger').catch(error => error), { isNetwork: true })
  work.push(enter('f', 'stranger', 'b'), enter('g', 'stranger', 'c'))
  const refused = await enter('h', 'stranger', 'd').catch(error => error)
  t.match(refused, { isNetwork: false })
  t.ok(refused instanceof LineFull && refused.retryAfterSeconds >= 1)
  work.push(enter('joins', 'sign-up'), enter('back again', 'known'))
  t.equal(line.waiting, 7)
  await drain()
  await Promise.all(work)
  t.equal(line.waiting, 0)
})

t.test('F3: networks take turns, so a long queue of one does not delay another', async t => {
  const { done, enter, drain } = lineOfOne()
  const work = ['now', 'a1', 'a2', 'a3'].map(name => enter(name, 'stranger', 'a'))
  work.push(enter('b1', 'stranger', 'b'))
  await drain()
  await Promise.all(work)
  t.same(done, ['now', 'a1', 'b1', 'a2', 'a3'])
})

t.test('F3: joining goes before signing in, and every fourth turn is for signing in', async t => {
  const { done, enter, drain } = lineOfOne()
  const work = [enter('now', 'stranger'), enter('stranger', 'stranger'), enter('known', 'known')]
  for (let n = 1; n <= 7; n += 1) work.push(enter(`join${n}`, 'sign-up'))
  await drain()
  await Promise.all(work)
  t.same(done, ['now', 'join1', 'join2', 'join3', 'known', 'join4', 'join5', 'join6', 'stranger', 'join7'])
})

t.test('F3: a dropped request leaves the queue, and its place is free', async t => {
  const { line, done, enter, drain } = lineOfOne()
  const over = new AbortController()
  const work = [enter('now', 'stranger')]
  const left = ['b', 'c', 'd'].map(name => enter(name, 'stranger', 'a', over.signal))
  const ends = Promise.allSettled(left)
  over.abort()
  for (const { reason } of (await ends) as PromiseRejectedResult[]) t.ok(reason instanceof TurnOver)
  t.equal(line.waiting, 0)
  work.push(enter('e', 'stranger'))
  t.ok((await enter('f', 'stranger', 'a', over.signal).catch(error => error)) instanceof TurnOver)
  await drain()
  await Promise.all(work)
  t.same(done, ['now', 'e'])
})

t.test('a wait is given in a suitable unit', t => {
  const words = [0, 1, 45, 90, 91, 1800, 5400, 5401, 43_200].map(waitInWords)
  t.same(words, [
    '1 second',
    '1 second',
    '45 seconds',
    '90 seconds',
    '2 minutes',
    '30 minutes',
    '90 minutes',
    '2 hours',
    '12 hours'
  ])
  t.end()
})

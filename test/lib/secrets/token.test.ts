import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import {
  hashToken,
  newNonce,
  optOutToken,
  readOptOutToken,
  tokenOf,
  tokenWith
} from '../../../src/lib/secrets/token.ts'

const key = randomBytes(32)

test('S1: a link is 43 characters, always the same, and another under another key or nonce', t => {
  const nonce = newNonce()
  const token = tokenOf(key, nonce)
  t.match(token, /^[\w-]{43}$/)
  t.equal(tokenOf(key, nonce), token)
  t.not(tokenOf(randomBytes(32), nonce), token)
  t.not(tokenOf(key, newNonce()), token)
  t.equal(hashToken(token).length, 32)
  t.equal(new Set(Array.from({ length: 10_000 }, () => tokenOf(key, newNonce()))).size, 10_000)
  t.end()
})

test('an opt-out link names one person and cannot be forged', t => {
  const token = optOutToken(key, 42)
  t.equal(readOptOutToken([key], token), 42)
  for (let i = 0; i < token.length; i++) {
    const flipped = token.slice(0, i) + (token[i] === 'x' ? 'y' : 'x') + token.slice(i + 1)
    t.equal(readOptOutToken([key], flipped), undefined)
  }
  for (const odd of [
    '',
    '42',
    '42.',
    `042${token.slice(2)}`,
    `43${token.slice(2)}`,
    `${token}x`,
    token.replace('.', '')
  ]) {
    t.equal(readOptOutToken([key], odd), undefined, odd)
  }
  t.equal(readOptOutToken([randomBytes(32)], token), undefined)
  t.equal(readOptOutToken([randomBytes(32), key], token), 42, 'made with a former key')
  t.end()
})

test('S15: a token is found with the key that made it, and with no other', t => {
  const [nonce, other] = [newNonce(), randomBytes(32)]
  const token = tokenOf(key, nonce)
  t.equal(tokenWith([key], nonce, hashToken(token)), token)
  t.equal(tokenWith([other, key], nonce, hashToken(token)), token)
  t.equal(tokenWith([other], nonce, hashToken(token)), undefined)
  t.equal(tokenWith([key], newNonce(), hashToken(token)), undefined)
  t.end()
})

import t from 'tap'
import { hashPassword, passwordProblem, verifyPassword } from '../../../src/lib/secrets/password.ts'
import { computeHashes } from '../../support/hashes.ts'

computeHashes(t)

t.test('S40: a password is stored as argon2id with 19 MiB and two passes', async t => {
  const hash = await hashPassword('seven-otters-swim-north')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(await hashPassword('seven-otters-swim-north'), hash, 'under a salt of its own')
  t.ok(await verifyPassword('seven-otters-swim-north', hash))
  t.notOk(await verifyPassword('seven-otters-swim-north ', hash))
  t.notOk(await verifyPassword('anything', null))
})

t.test('S40: every character counts, in any script', async t => {
  const long = `${'x'.repeat(1000)}åß∂ƒ©`
  const hash = await hashPassword(long)
  t.notOk(await verifyPassword(`${long.slice(0, -1)}g`, hash), 'nothing is cut off')
  t.ok(
    await verifyPassword('Ame\u0301lie und sieben Otter', await hashPassword('Am\u00e9lie und sieben Otter')),
    'either spelling of é'
  )
})

t.test('S40: at least fifteen characters, at most a thousand', async t => {
  t.match(passwordProblem('abcdefghijklmn', []), /at least 15/)
  t.equal(passwordProblem('blue kettle sky', []), undefined)
  t.equal(passwordProblem('🦦 seven otters swim', []), undefined)
  t.match(passwordProblem(`blue kettle ${'é'.repeat(1013)}`, []), /at most 1024/)
})

t.test('S40: easy passwords are refused', async t => {
  const context = ['Larkfield', 'nora.lind@larkfield.example', 'Nora Lind']
  const guessable = [
    'passwordpassword',
    '123456789012345',
    'qwertyuiopqwertyuiop',
    'aaaaaaaaaaaaaaaaaaaa',
    'Larkfield2026!!',
    'noralind-noralind',
    'Password123456789',
    'welcome2larkfield',
    'abcabcabcabcabcabc'
  ]
  for (const password of guessable) t.match(passwordProblem(password, context), /easy to guess/, password)
})

import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { qrPath } from '../../src/second-factor/qr.ts'
import { newRecoveryCodes, recoveryHash } from '../../src/second-factor/recovery-codes.ts'
import { counterOf, newTotpSecret, totpUri } from '../../src/second-factor/totp.ts'

const secret = newTotpSecret()
const now = 1_900_000_000_000
const codeAt = (seconds: number) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now + seconds * 1000 })

t.test('a code is right in its period and the ones beside it', async t => {
  const period = Math.floor(now / 30_000)
  t.equal(counterOf(secret, codeAt(0), now), period)
  t.equal(counterOf(secret, codeAt(-30), now), period - 1)
  t.equal(counterOf(secret, codeAt(30), now), period + 1)
  t.equal(counterOf(secret, codeAt(0).replace(/^.../, '$& '), now), period, 'as apps show it')
  for (const typed of [codeAt(60), codeAt(-60), '', '12345', '1234567', 'abcdef', '１２３４５６', ' '.repeat(90)])
    t.equal(counterOf(secret, typed, now), undefined, typed)
})

t.test('the address names issuer and account, and the picture is one path', async t => {
  t.match(secret, /^[A-Z2-7]{32}$/)
  const uri = totpUri(secret, 'Rollcall Larkfield', 'ada+x@larkfield.example')
  t.match(uri, /^otpauth:\/\/totp\/Rollcall%20Larkfield:ada%2Bx%40larkfield.example\?/)
  t.match(uri, `secret=${secret}`)
  const { path, size } = qrPath(uri)
  t.ok(size > 40)
  t.match(path, /^(M\d+ \d+h\d+v1h-\d+z)+$/)
  t.match(path, /^M4 4h7v1h-7z/, 'the first corner, behind the quiet border')
})

t.test('recovery codes have 80 bits, and are read however they are typed', async t => {
  const codes = newRecoveryCodes()
  t.equal(new Set(codes).size, 10)
  for (const code of codes) t.match(code, /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/)
  const [code = ''] = codes
  const hash = recoveryHash(code)
  t.equal(hash?.length, 32)
  t.same(recoveryHash(code.toLowerCase().replaceAll('-', ' ')), hash)
  for (const typed of ['', code.slice(1), `${code}A`, '123456', 'A'.repeat(9999)])
    t.equal(recoveryHash(typed), undefined)
})

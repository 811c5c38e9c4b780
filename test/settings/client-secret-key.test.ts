import t from 'tap'
import { openClientSecret, sealClientSecret } from '../../src/oidc/settings.ts'
import { readProviderRows, writeProviderRow } from '../../src/oidc/settings-store.ts'
import { takeUpKey } from '../../src/secret-key.ts'
import { startApp } from '../support/app.ts'

const [first, second, third] = [1, 2, 3].map(byte => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const secret = 'kept-under-a-key'

t.test('S15: a new key reseals the client secret; without the former one the start says so', async t => {
  const { db, config, close } = await startApp()
  t.teardown(close)
  const issuer = 'https://login.example.org'
  for (const [place, id] of [
    ['inForce', 1],
    ['candidate', 2]
  ] as const)
    await writeProviderRow(db, place, {
      issuer,
      clientId: 'rollcall',
      clientSecret: sealClientSecret(first, { id, clientId: 'rollcall', secretFor: issuer }, secret),
      secretFor: issuer,
      name: 'Sign in',
      testedAt: new Date()
    })
  const said: string[] = []
  const note = (level: string) => (_details: object, message: string) => void said.push(`${level} ${message}`)
  const log = { info: note('info'), warn: note('warn'), error: note('error') }
  const start = async (secretKey: Buffer, ...formerKeys: Buffer[]) => {
    said.length = 0
    await takeUpKey({ db, secretKey, config: { ...config, formerKeys } }, log)
    return said
  }
  const open = async (key: Buffer) => {
    const { inForce, candidate } = await readProviderRows(db)
    return [inForce, candidate].map(row => row && openClientSecret([key], row))
  }

  t.same(await start(first), [])
  t.match(await start(second, first), [/^info The provider’s client secret is now encrypted with the new SECRET_KEY/])
  t.same(await open(second), [secret, secret])
  t.same(await open(first), [undefined, undefined])
  t.same(await start(second), [], 'the former key can go')
  t.match(await start(third), [
    /^error The client secret .* cannot be read with the SECRET_KEY in force: enter it again/
  ])
  t.same(await open(second), [secret, secret], 'it waits for its key')

  const { inForce, candidate } = await readProviderRows(db)
  const [one, other] = [inForce?.clientSecret ?? null, candidate?.clientSecret ?? null]
  await db.$client`update oidc_providers set client_secret = case id when 1 then ${other} else ${one} end`
  t.same(await open(second), [undefined, undefined], 'swapped between the rows, neither opens')
})

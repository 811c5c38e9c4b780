import fs from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import t from 'tap'
import { requirePatch } from '../../../src/db/connection/driver-options.ts'

const root = path.join(import.meta.dirname, '../../..')

t.test('the installed driver is patched, and an unpatched one is refused before it connects', async t => {
  t.doesNotThrow(() => requirePatch(postgres))
  const { patch: _, ...unpatched } = postgres as unknown as { patch: string }
  t.throws(() => requirePatch(unpatched), { message: /database driver lacks the fixes in patches\/.*npm ci/ })
  t.throws(() => requirePatch({ patch: 'rollcall-0' }), 'an older patch does not do')
})

t.test('the patch matches the version in package.json, and postinstall applies it', async t => {
  const { dependencies, scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  t.same(fs.readdirSync(path.join(root, 'patches')), [`postgres+${dependencies.postgres}.patch`])
  t.equal(scripts.postinstall, 'patch-package --error-on-fail')
  t.ok(dependencies['patch-package'], 'in production too')
})

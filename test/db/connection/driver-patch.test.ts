import fs from 'node:fs'
import { createRequire } from 'node:module'
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
  t.equal(scripts.postinstall, 'node scripts/apply-patches.cjs')
})

const { applied } = createRequire(import.meta.url)('../../../scripts/apply-patches.cjs') as {
  applied: (text: string, patch: string[]) => string
}

t.test('a patch is applied where its lines are, once, and refused elsewhere', async t => {
  const patch = [
    '@@ -2,3 +2,4 @@',
    ' b',
    '-c',
    '+C',
    '+CC',
    ' d',
    '@@ -6,1 +7,2 @@',
    ' f',
    '+g',
    '\\ No newline at end of file'
  ]
  const after = 'a\nb\nC\nCC\nd\ne\nf\ng'
  t.equal(applied('a\nb\nc\nd\ne\nf', patch), after)
  t.equal(applied(after, patch), after, 'again')
  t.throws(() => applied('a\nb\nx\nd\ne\nf', patch), { message: 'it does not fit at line 2' })
  t.throws(() => applied('b\nc\nd\ne\nf', patch), 'moved lines are another version')
})

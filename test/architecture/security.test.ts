/** docs/security.md names a test for every goal, and the test names the goal. */
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const page = read('docs/security.md')

const rows = [...page.matchAll(/^\| (S\d+) \| (.+?) \| (.+?) \|$/gm)].map(([, id = '', words = '', shown = '']) => ({
  id,
  words,
  paths: [...shown.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
}))

/** The names of a file's tests. */
const namesIn = (text: string) =>
  [...text.matchAll(/\.test\(\s*([`'"])((?:(?!\1).)*)\1/g)].map(([, , name = '']) => name)
const names = (text: string, id: string) => namesIn(text).some(name => new RegExp(`\\b${id}\\b`).test(name))

t.test('every goal of the requirements is on the page, in the same words', async t => {
  const rules = [...read('docs/requirements.md').matchAll(/^\| (S\d+) \| (.+?) \|$/gm)].map(
    ([, id = '', words = '']) => ({ id, words })
  )
  t.ok(rules.length > 35)
  t.same(
    rows.map(({ id, words }) => ({ id, words })),
    rules
  )
})

t.test('every goal has a test that exists and names it', async t => {
  for (const { id, paths } of rows) {
    t.ok(paths.length > 0, `${id} is shown by a test`)
    for (const file of paths) t.ok(fs.existsSync(path.join(root, file)) && names(read(file), id), `${file} names ${id}`)
  }
  t.notOk(names("t.test('S1: a link', async t => t.equal('S12', x))", 'S12'), 'only names count')
})

import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const self = path.relative(root, import.meta.filename)
const page = 'docs/requirements.md'

const texts = ['src', 'test', 'docs', 'bench', 'scripts', 'views', 'public']
  .flatMap(folder =>
    fs.readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(name => path.join(folder, name))
  )
  .concat('README.md', 'CHANGELOG.md')
  .filter(file => /\.(ts|md|eta|css|sql)$/.test(file) && file !== self)
  .map(file => ({ file, text: read(file) }))

const requirements = read(page)
const rules = new Set([...requirements.matchAll(/^\| ([SRFEL]\d+) \|/gm)].map(([, id]) => id!))
const headings = new Set([...requirements.matchAll(/^#+ (.+)$/gm)].map(([, name]) => name!))
const decisions = new Set(fs.readdirSync(path.join(root, 'docs/decisions')).map(name => Number(name.slice(0, 4))))

const idsIn = (text: string) => [...text.matchAll(/(?<![\w%\\=+/.-])[SRFEL][1-9]\d?\b/g)].map(([id]) => id)
const isThere = (file: string, cited: string) =>
  [path.dirname(file), '.', 'docs'].some(folder => fs.existsSync(path.join(root, folder, cited)))

/** Rules, headings, decisions and pages that a text cites but the repository does not have. */
function danglingIn(file: string, text: string): string[] {
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, cited]) => cited!)
  const wrong = [
    ...idsIn(text).filter(id => !rules.has(id)),
    ...all(/requirements\.md(?:, | \()([A-Z]\w+)/g).filter(name => !headings.has(name)),
    ...all(/\bdecision (\d+)/g).filter(number => !decisions.has(Number(number))),
    ...all(/(?<![\w/.-])([\w./-]+\.md)\b/g).filter(cited => !isThere(file, cited))
  ]
  return wrong.map(cited => `${file}: ${cited}`)
}

t.test('everything that is cited is in the repository', async t => {
  t.same(
    texts.flatMap(({ file, text }) => danglingIn(file, text)),
    []
  )
  t.ok(rules.size > 100, 'the rules are found')
})

t.test('every rule is cited by code, a test or a decision', async t => {
  const cited = new Set(texts.filter(({ file }) => file !== page).flatMap(({ text }) => idsIn(text)))
  t.same(
    [...rules].filter(id => !id.startsWith('L') && !cited.has(id)),
    []
  )
})

t.test('the check finds missing rules, headings, decisions and pages', async t => {
  const found = (text: string) => danglingIn('src/lib/words.ts', text)
  const missing = ['S99', 'Nothing', '999', 'product.md']
  t.same(
    found('S99 (docs/requirements.md, Nothing), decision 999, product.md §2'),
    missing.map(cited => `src/lib/words.ts: ${cited}`)
  )
  t.same(found('S1, R8 (docs/requirements.md, Verdicts), decision 9, docs/database.md; a path "M0 1L10 20"'), [])
})

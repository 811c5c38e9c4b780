/** What README and docs name exists, and every setting is in the README. */
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/env.ts'

const root = path.join(import.meta.dirname, '../..')
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const readme = read('README.md')

/** Read by the tests, not by the server. */
const ofTests = ['TEST_DATABASE_URL', 'CHROMIUM']

/** The settings that the configuration asks for, each also as a file. */
function settings(): string[] {
  const asked = new Set<string>()
  const environment = new Proxy({} as NodeJS.ProcessEnv, {
    get(_, name) {
      asked.add(String(name))
      return undefined
    }
  })
  readConfig(environment)
  return [...asked].filter(name => !name.endsWith('_FILE') || !asked.has(name.slice(0, -'_FILE'.length)))
}

/** The names in code spans: those with an underscore, and those that the table of settings begins with. */
function namesIn(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)
  const long = spans.flatMap(span => span.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [])
  const inTable = [...text.matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)].flatMap(([, names]) => names!.match(/[A-Z_]+/g) ?? [])
  return [...new Set([...long, ...inTable])]
}

const scriptsIn = (text: string) =>
  [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].map(([, run, short]) => run ?? short!)

t.test('the README has every setting that the configuration reads', async t => {
  const named = namesIn(readme)
  t.ok(settings().length > 25, 'the settings are found')
  t.same(
    settings().filter(name => !named.includes(name)),
    []
  )
})

t.test('the configuration reads every setting that the README names', async t => {
  const known = [...settings(), ...ofTests]
  const isKnown = (name: string) => known.includes(name) || known.includes(name.replace(/_FILE$/, ''))
  t.same(
    namesIn(readme).filter(name => !isKnown(name) && name !== 'NAME_FILE'),
    []
  )
  t.same(namesIn('| `HOST`, `PORT` | set `SMTP_UR=x` |'), ['SMTP_UR', 'HOST', 'PORT'])
})

t.test('README and docs name npm scripts that exist', async t => {
  const pages = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map(name => `docs/${name}`)]
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = pages.filter(file => file.endsWith('.md')).flatMap(file => scriptsIn(read(file)))
  t.ok(named.length > 8, 'the scripts are found')
  t.same(
    named.filter(name => !(name in scripts)),
    []
  )
  t.same(scriptsIn('npm test -- x, npm run test:long'), ['test', 'test:long'])
})

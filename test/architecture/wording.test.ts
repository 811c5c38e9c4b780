import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')
const filesIn = (folder: string, ending: string) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => path.join(folder, name))
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')

/** Words of a translated voice. Rollcall names who does what: "No one matches", "Anyone with this link", "Batch resumed". */
const unwanted = /\b(?:somebody|nobody|whoever|whom|goes on|is gone|e-mails?)\b/gi

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '')
const unwantedIn = (text: string) => text.match(unwanted) ?? []

/** The quoted texts of a source file, without its comments and without the code inside of a template text. */
function quotedIn(source: string): string {
  const code = source.replace(/^\s*(?:\/?\*|\/\/).*$/gm, '').replace(/\s\/\/ .*$/gm, '')
  const quotes = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
  return (code.match(quotes) ?? []).map(quote => quote.replace(/\$\{[^}]*\}/g, '')).join('\n')
}

t.test('pages and emails speak plain English', async t => {
  const wrong = filesIn('views', '.eta').flatMap(file =>
    unwantedIn(withoutComments(read(file))).map(word => `${file}: ${word}`)
  )
  t.same(wrong, [])
  t.same(unwantedIn('<p>Nobody matches. Whoever joins gets an e-mail.</p>'), ['Nobody', 'Whoever', 'e-mail'])
  t.same(unwantedIn('<p>The batch goes on; the team is gone.</p>'), ['goes on', 'is gone'])
  t.same(unwantedIn('<p>No one matches. People who join get an email.</p>'), [])
})

/** The folders of src/ whose messages have been rewritten. */
const rewritten = [
  'audit',
  'batches',
  'config',
  'dashboard',
  'directory',
  'entries',
  'invitations',
  'lib',
  'mail',
  'operations',
  'organization',
  'people',
  'roster',
  'sessions',
  'sign-up',
  'web'
]

t.test('messages speak plain English', async t => {
  const files = rewritten.flatMap(folder => filesIn(path.join('src', folder), '.ts'))
  const wrong = files.flatMap(file => unwantedIn(quotedIn(read(file))).map(word => `${file}: ${word}`))
  t.same(wrong, [])
  const example =
    "// nobody reads this\nconst nobody = 1\nthrow new Error('That is somebody’s')\nlog(`The team is gone`)"
  t.same(unwantedIn(quotedIn(example)), ['somebody', 'is gone'])
})

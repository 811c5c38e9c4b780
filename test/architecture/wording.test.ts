/** Everything that a person reads is plain English: pages, emails, messages, comments, documents, names of tests. */
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')
const self = path.relative(root, import.meta.filename)
const filesIn = (folder: string, ending: RegExp) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(name => path.join(folder, name))
    .filter(file => ending.test(file) && file !== self)
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')

/** Words of a translated voice. Rollcall names who does what: "No one matches", "Anyone with this link", "Batch resumed". */
const unwanted =
  /\b(?:somebody|nobody|whoever|whom|goes? on|(?:is|are) gone|stands? (?:in|here|there|beside)|lets? go|is away|anew|e-mails?)\b/gi
const unwantedIn = (text: string) => text.match(unwanted) ?? []
const wrongIn = (files: string[], textOf: (source: string) => string) =>
  files.flatMap(file => unwantedIn(textOf(read(file))).map(word => `${file}: ${word}`))

const sources = filesIn('src', /\.ts$/)
const tests = filesIn('test', /\.(?:ts|mjs)$/)
const tools = ['bench', 'scripts', 'public'].flatMap(folder => filesIn(folder, /\.(?:ts|cjs|js|css)$/))

const quotes = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g
const isComment = /^\s*(?:\/?\*|\/\/).*$/gm
const withoutCode = (text: string) => text.replace(/\$\{[^}]*\}/g, '')

/** A template's text, without its comments. */
const pageIn = (template: string) => template.replace(/\/\*[\s\S]*?\*\//g, '')

const withoutNames = (quote: string) => (quote.startsWith('"') ? quote : quote.replace(/"[^"]*"/g, ''))

/** The quoted texts of a source file: not its comments, nor single words such as states, nor names that a text quotes. */
function quotedIn(source: string): string {
  const code = source.replace(isComment, '').replace(/\s\/\/ .*$/gm, '')
  return (code.match(quotes) ?? [])
    .map(quote => withoutNames(withoutCode(quote)))
    .filter(quote => /\s/.test(quote))
    .join('\n')
}

/** The comments of a source file, without the names that they quote. */
function commentsIn(source: string): string {
  const comments = [...(source.match(isComment) ?? []), ...(source.match(/\s\/\/ .*$/gm) ?? [])]
  return comments.join('\n').replace(/`[^`\n]*`|"[^"\n]*"/g, '')
}

/** The descriptions of a test file's tests. */
const describedIn = (source: string) =>
  [...source.matchAll(/\btest\(\s*(?:\{[^}]*\},\s*)?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)/g)]
    .map(([, text]) => withoutCode(text!))
    .join('\n')

/** A document's text, without commands and names. */
const documentIn = (markdown: string) => markdown.replace(/```[\s\S]*?```|`[^`]*`/g, '')

t.test('pages and emails speak plain English', async t => {
  t.same(wrongIn(filesIn('views', /\.eta$/), pageIn), [])
  t.same(unwantedIn('<p>Nobody matches. Whoever joins gets an e-mail.</p>'), ['Nobody', 'Whoever', 'e-mail'])
  t.same(unwantedIn('<p>The batch goes on; the team is gone.</p>'), ['goes on', 'is gone'])
  t.same(unwantedIn('<p>No one matches. People who join get an email.</p>'), [])
})

t.test('messages speak plain English', async t => {
  t.same(wrongIn([...sources, ...tools], quotedIn), [])
  const example =
    "// nobody reads this\nconst nobody = 1\nthrow new Error('That is somebody’s')\nlog(`The team is gone`)"
  t.same(unwantedIn(quotedIn(example)), ['somebody', 'is gone'])
})

t.test('comments speak plain English', async t => {
  const files = [...sources, ...tools, ...tests]
  t.same(wrongIn(files, commentsIn), [])
  const saysMails = (source: string) => /\bmails\b/i.test(commentsIn(source))
  t.same(
    files.filter(file => saysMails(read(file))),
    [],
    'the noun is email'
  )
  t.ok(saysMails('const mails = 2 // two mails'))
  t.notOk(saysMails('const mails = 2 // of these `mails`'))
  t.same(unwantedIn(commentsIn("/** Whoever asks. */\nrun('nobody') // the user `nobody`, whom we ask")), [
    'Whoever',
    'whom'
  ])
})

t.test('names of tests speak plain English', async t => {
  t.same(wrongIn(tests, describedIn), [])
  t.same(unwantedIn(describedIn("t.test('it goes on', async t => t.equal(nobody, 'nobody'))")), ['goes on'])
})

t.test('documents speak plain English', async t => {
  const documents = ['README.md', 'CHANGELOG.md', ...filesIn('docs', /\.(?:md|service)$/), ...filesIn('test', /\.md$/)]
  t.same(wrongIn(documents, documentIn), [])
  t.same(unwantedIn(documentIn('The user `nobody` is whom\n```sh\nsudo -u nobody\n```')), ['whom'])
})

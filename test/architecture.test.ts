import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '..')
const filesIn = (folder: string, ending: string) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => path.join(folder, name))
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const sources = filesIn('src', '.ts')

/** Left never imports right; features of one row do not import each other. */
const order = [
  ['lib'],
  ['db'],
  ['config'],
  ['ldap'],
  ['web'],
  ['audit'],
  ['mail'],
  ['people'],
  ['organization'],
  ['sessions'],
  ['directory'],
  ['teams', 'invitations'],
  ['batches'],
  ['entries', 'leavers'],
  ['sync'],
  ['groups', 'roster'],
  ['dashboard', 'operations', 'sign-up', 'settings', 'setup'],
  ['secret-key.ts', 'app.ts', 'worker.ts'],
  ['server.ts', 'cli']
]
const folderOf = (file: string) => path.relative('src', file).split(path.sep)[0]!
const rankOf = (file: string) => {
  const rank = order.findIndex(names => names.includes(folderOf(file)))
  if (rank < 0) throw new Error(`${file} stands in no place of the import order`)
  return rank
}

interface Import {
  from: string
  to: string
  isType: boolean
}

const imports: Import[] = sources.flatMap(from =>
  [...read(from).matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)'/gms)].map(([, type, to]) => ({
    from,
    to: to!.startsWith('.') ? path.join(path.dirname(from), to!) : to!,
    isType: Boolean(type)
  }))
)
const isOurs = ({ to }: Import) => to.startsWith('src')

t.test('imports go from right to left only', async t => {
  const wrong = imports.filter(each => {
    if (!isOurs(each) || folderOf(each.from) === folderOf(each.to)) return false
    return rankOf(each.to) >= rankOf(each.from)
  })
  t.same(wrong, [])
})

t.test('routes, scopes and the application alone know the web', async t => {
  const mayKnowWeb = /(routes|scopes|app|-page|story|navigation)\.ts$/
  const wrong = imports.filter(
    each =>
      !each.isType && each.to.startsWith('src/web/') && !each.from.startsWith('src/web/') && !mayKnowWeb.test(each.from)
  )
  t.same(wrong, [])
})

t.test('each foreign part is known in one place', async t => {
  const places: [RegExp, RegExp][] = [
    [/^drizzle-orm/, /store\.ts$|^src\/db\//],
    [/^nodemailer/, /^src\/mail\/wire\/sign-in\.ts$/],
    [/^ldapts/, /^src\/ldap\//],
    [/^postgres$/, /^src\/db\//],
    [/^@fastify\/view$/, /^src\/web\/pages\.ts$/],
    [/^@fastify\/formbody$/, /^src\/web\/forms\.ts$/],
    [/^@fastify\/multipart$/, /^src\/(batches\/intake\/bulk-routes|web\/uploads\/read-upload)\.ts$/],
    [/^eta$/, /^src\/web\/pages\.ts$|^src\/mail\/compile\.ts$/]
  ]
  const wrong = imports.filter(({ from, to }) => places.some(([part, place]) => part.test(to) && !place.test(from)))
  t.same(wrong, [])
})

t.test('a store is read and written through verbs, never from a page of its own making', async t => {
  const nounsAndStores =
    /(store|event|delivery|person|session|invitation|recipient|batch|team|chunk|run|view|review)\.ts$/
  const wrong = imports.filter(
    ({ from, to }) =>
      /store\.ts$/.test(from) && to.startsWith('src/') && !nounsAndStores.test(to) && !/^src\/(db|lib)\//.test(to)
  )
  t.same(wrong, [])
})

t.test('only the configuration reads the environment', async t => {
  const wrong = sources.filter(
    file =>
      file !== 'src/config/env.ts' && file !== 'src/db/embedded/postgres-process.ts' && /process\.env/.test(read(file))
  )
  t.same(wrong, [])
})

t.test('S8, S40: no link and no check is made from a request header, and no statement from pieces of text', async t => {
  const banned = [
    /request\.(host|hostname|protocol)\b/,
    /sql\.identifier/,
    /\bas any\b|: any\b/,
    /@ts-(ignore|expect-error)/,
    /console\.log/
  ]
  const wrong = sources.flatMap(file =>
    banned.filter(pattern => pattern.test(read(file))).map(pattern => `${file} ${pattern}`)
  )
  t.same(wrong, [])
  const raw = sources.filter(file => /sql\.raw/.test(read(file)) && file !== 'src/db/schema.ts')
  t.same(raw, [], 'sql.raw stands in the schema only, for words that it holds itself')
})

t.test('files are small, and named after what they are', async t => {
  const long = sources.filter(file => read(file).split('\n').length > 201 && !/schema\.ts$|env\.ts$/.test(file))
  t.same(long, [])
  const vague = sources.filter(file => /(service|helper|util|manager|common)s?\.ts$/.test(file))
  t.same(vague, [])
  const templates = filesIn('views', '.eta').filter(file => read(file).split('\n').length > 121)
  t.same(templates, [])
  const styles = filesIn('public/css', '.css').filter(file => read(file).split('\n').length > 181)
  t.same(styles, [])
})

t.test(
  'S16: templates print escaped text into quoted attributes, and hold no script or style of their own',
  async t => {
    const mayPrintRaw = /<%~ (include\(|it\.body|it\.funnel|it\.series|it\.bar|\w+\.bar)/
    const wrong = filesIn('views', '.eta').flatMap(file => {
      const text = read(file)
      const raw = [...text.matchAll(/<%~[^%]*/g)].map(([tag]) => tag).filter(tag => !mayPrintRaw.test(tag))
      const unquoted = [...text.matchAll(/ [\w-]+=<%/g)].map(([tag]) => tag)
      const isPage = !/^views\/mail\/\w+\/(html|text|subject)\.eta$/.test(file)
      const scripts = isPage
        ? [...text.matchAll(/hx-on|js:|<script(?! src)|<style|\sstyle=|\son\w+=/g)].map(([tag]) => tag)
        : []
      return [...raw, ...unquoted, ...scripts].map(tag => `${file} ${tag}`)
    })
    t.same(wrong, [])
  }
)

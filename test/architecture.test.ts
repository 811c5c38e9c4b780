import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { type MeasuredFunction, shapeOfSource } from '../scripts/shape.ts'

const root = path.join(import.meta.dirname, '..')
const filesIn = (folder: string, ending: string) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => path.join(folder, name))
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const sources = filesIn('src', '.ts')

/** Earlier rows never import later ones; features of one row do not import each other. */
const order = [
  ['lib'],
  ['db'],
  ['config'],
  ['ldap', 'outbound'],
  ['web'],
  ['audit'],
  ['mail'],
  ['people'],
  ['organization'],
  ['sessions'],
  ['sign-in'],
  ['me'],
  ['directory', 'oidc', 'second-factor'],
  ['teams', 'invitations'],
  ['batches'],
  ['leavers'],
  ['sync'],
  ['entries'],
  ['groups', 'roster'],
  ['dashboard', 'operations', 'sign-up', 'settings', 'setup'],
  ['sso'],
  ['secret-key.ts', 'app.ts', 'worker.ts'],
  ['server.ts', 'cli.ts']
]
/** The order inside a folder; `*` is every file that is not named. Files and folders of one row may not import each other. */
const insideOrder: Record<string, string[][]> = {
  lib: [['*'], ['text'], ['addresses', 'secrets'], ['name.ts', 'search-text.ts']],
  db: [
    ['schema.ts', 'faults.ts', 'paged-search.ts'],
    ['connection'],
    ['embedded'],
    ['client.ts'],
    ['rows.ts'],
    ['check-server.ts', 'locks.ts', 'notices.ts', 'migrate.ts'],
    ['prepare.ts']
  ],
  ldap: [
    ['directory.ts'],
    ['wire'],
    ['syntax'],
    ['schema'],
    ['session.ts'],
    ['find.ts', 'search-groups.ts'],
    ['check-password.ts', 'reading'],
    ['test-steps.ts'],
    ['open-directory.ts']
  ],
  web: [['*'], ['errors.ts', 'logging.ts', 'pages.ts'], ['access.ts', 'forms.ts', 'uploads'], ['security.ts']],
  mail: [
    ['delivery.ts', 'delivery-badges.ts', 'headers.ts'],
    ['compile.ts', 'copies-store.ts', 'outbox.ts', 'server-limits.ts', 'settlement.ts'],
    ['wire'],
    ['queue'],
    ['*']
  ],
  batches: [['batch.ts', 'recipient.ts'], ['chunk.ts', 'store.ts'], ['judging'], ['intake'], ['report'], ['control']],
  sync: [
    ['left-out.ts', 'run.ts'],
    ['store.ts'],
    ['decisions-store.ts', 'read-again-store.ts', 'run-store.ts'],
    ['steps'],
    ['sync-due.ts']
  ],
  groups: [['decisions', 'members'], ['pages'], ['selection']]
}
const folderOf = (file: string) => path.relative('src', file).split(path.sep)[0]!
const rankIn = (rows: string[][], name: string) => {
  const rank = rows.findIndex(row => row.includes(name))
  return rank < 0 ? rows.findIndex(row => row.includes('*')) : rank
}
const rankOf = (file: string) => {
  const rank = rankIn(order, folderOf(file))
  if (rank < 0) throw new Error(`${file} is missing in the import order`)
  return rank
}

/** Does this import, of a type or a value, go up or across? */
function isWrongWay(from: string, to: string): boolean {
  const folder = folderOf(from)
  if (folder !== folderOf(to)) return rankOf(to) >= rankOf(from)
  const rows = insideOrder[folder]
  if (!rows) return false
  const inside = (file: string) => path.relative('src', file).split(path.sep)[1]!
  const [here, there] = [inside(from), inside(to)]
  if (here === there) return false
  const ranks = [here, there].map(name => {
    const rank = rankIn(rows, name)
    if (rank < 0) throw new Error(`src/${folder}/${name} is missing in the order inside ${folder}`)
    return rank
  })
  const isFile = [here, there].every(name => name.endsWith('.ts'))
  return isFile ? ranks[1]! > ranks[0]! : ranks[1]! >= ranks[0]!
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

t.test('imports only go from right to left, including those of types and of subfolders', async t => {
  t.same(
    imports.filter(each => isOurs(each) && isWrongWay(each.from, each.to)),
    []
  )
  t.ok(isWrongWay('src/lib/words.ts', 'src/web/pages.ts'), 'up')
  t.ok(isWrongWay('src/teams/store.ts', 'src/invitations/store.ts'), 'to a neighbor')
  t.ok(isWrongWay('src/groups/pages/group-page.ts', 'src/groups/selection/review.ts'), 'up inside of a folder')
  t.ok(isWrongWay('src/groups/members/view.ts', 'src/groups/decisions/decide.ts'), 'to a neighbor inside of a folder')
  t.throws(() => isWrongWay('src/somewhere/new.ts', 'src/lib/words.ts'), 'a folder without a place')
  const folders = sources.map(file => path.relative('src', file).split(path.sep)).filter(parts => parts.length > 2)
  t.same(
    [...new Set(folders.map(([first]) => first!))].filter(first => !insideOrder[first]),
    [],
    'subfolders are ranked'
  )
})

const mayKnowWeb = /(routes|scopes|app|-page|story|navigation)\.ts$/
const isStrangerInWeb = ({ from, to, isType }: Import) =>
  !isType && to.startsWith('src/web/') && !from.startsWith('src/web/') && !mayKnowWeb.test(from)

t.test('only routes, scopes and the application know the web', async t => {
  t.same(imports.filter(isStrangerInWeb), [])
  t.ok(isStrangerInWeb({ from: 'src/people/store.ts', to: 'src/web/errors.ts', isType: false }))
  t.notOk(isStrangerInWeb({ from: 'src/people/routes.ts', to: 'src/web/errors.ts', isType: false }))
})

t.test('each third-party library is used in one place', async t => {
  const places: [RegExp, RegExp][] = [
    [/^drizzle-orm/, /(store|conditions)\.ts$|^src\/db\//],
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

const nounsAndStores =
  /(store|conditions|event|delivery|person|session|invitation|recipient|batch|team|chunk|run|view|review)\.ts$/
const isPageInStore = ({ from, to }: Import) =>
  /store\.ts$/.test(from) && to.startsWith('src/') && !nounsAndStores.test(to) && !/^src\/(db|lib)\//.test(to)

t.test('a store imports only stores, plain types, lib and db', async t => {
  t.same(imports.filter(isPageInStore), [])
  t.ok(isPageInStore({ from: 'src/people/store.ts', to: 'src/roster/person-page.ts', isType: true }))
  t.notOk(isPageInStore({ from: 'src/people/store.ts', to: 'src/people/person.ts', isType: true }))
})

t.test('only the configuration reads the environment', async t => {
  const wrong = sources.filter(
    file =>
      file !== 'src/config/env.ts' && file !== 'src/db/embedded/postgres-process.ts' && /process\.env/.test(read(file))
  )
  t.same(wrong, [])
})

t.test('S8: no link or check uses a request header, and no statement is built from strings', async t => {
  const banned = [
    /request\.(host|hostname|protocol)\b/,
    /sql\.identifier/,
    /\bas any\b|: any\b/,
    /@ts-(ignore|expect-error)/,
    /console\.log/,
    // a claim about rows that no test checks: rowsOf has them checked
    /\bexecute</
  ]
  const wrong = sources.flatMap(file =>
    banned.filter(pattern => pattern.test(read(file))).map(pattern => `${file} ${pattern}`)
  )
  t.same(wrong, [])
  const raw = sources.filter(file => /sql\.raw/.test(read(file)) && file !== 'src/db/schema.ts')
  t.same(raw, [], 'only the schema uses sql.raw, for its own words')
})

t.test('files are small, and named after their contents', async t => {
  const long = sources.filter(file => read(file).split('\n').length > 201 && !/schema\.ts$/.test(file))
  t.same(long, [])
  const vague = sources.filter(file => /(service|helper|util|manager|common)s?\.ts$/.test(file))
  t.same(vague, [])
  const templates = filesIn('views', '.eta').filter(file => read(file).split('\n').length > 121)
  t.same(templates, [])
  const styles = filesIn('public/css', '.css').filter(file => read(file).split('\n').length > 181)
  t.same(styles, [])
})

const isWide = (line: string) => line.length > 160

t.test('templates are laid out like HTML, in lines of at most 160 characters', async t => {
  const wide = filesIn('views', '.eta').flatMap(file =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (isWide(line) ? [`${file}:${index + 1}`] : []))
  )
  t.same(wide, [])
  t.ok(isWide('x'.repeat(161)))
})

const shape = shapeOfSource()
const isTooLong = ({ lines }: MeasuredFunction) => lines > 40

t.test('functions have at most 40 lines', async t => {
  t.ok(shape.functions.length > 1000, 'the source was read')
  t.same(shape.functions.filter(isTooLong), [])
  t.ok(isTooLong({ file: 'src/app.ts', name: 'buildApp', lines: 41 }))
})

/** For loops over bytes, lines and emails, where a check of every index would cost time. */
const maxNonNulls = 40

t.test('types say what is there: `value!` is for hot loops', async t => {
  t.ok(shape.nonNulls.length > 0, 'assertions are found')
  t.ok(shape.nonNulls.length <= maxNonNulls, `${shape.nonNulls.length} of ${maxNonNulls}: ${shape.nonNulls.join(' ')}`)
})

/** Where the types of a library are too narrow, or name none of its private parts. */
const maxCasts = 15

t.test('values are what their types say: `value as Type` is for libraries', async t => {
  t.ok(shape.casts.length > 0, 'casts are found')
  t.ok(shape.casts.length <= maxCasts, `${shape.casts.length} of ${maxCasts}: ${shape.casts.join(' ')}`)
})

t.test('at most 5 % of the lines are comments', async t => {
  t.ok(shape.comments > 500, 'comments were found')
  t.ok(shape.comments / shape.lines <= 0.05, `${shape.comments} of ${shape.lines} lines`)
})

t.test('properties are written one per line, without a spread that only groups them', async t => {
  t.same(shape.groups, [])
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

/**
 * Prints the limits for the source and its current figures: `npm run figures`. With a commit as argument,
 * it also counts commit subjects since then.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { shapeOfSource } from './shape.ts'

const root = path.join(import.meta.dirname, '..')
const [since] = process.argv.slice(2)

interface File {
  name: string
  lines: string[]
}

const filesIn = (folder: string, ending: string): File[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => ({
      name,
      lines: fs
        .readFileSync(path.join(root, folder, name), 'utf8')
        .trimEnd()
        .split('\n')
    }))

const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)
const percent = (part: number, all: number) => `${((100 * part) / all).toFixed(1)} %`

const sources = filesIn('src', '.ts')
const lineCount = sum(sources.map(({ lines }) => lines.length))

function largestFolder(): string {
  const byFolder = Map.groupBy(sources, ({ name }) => name.split(path.sep)[0] ?? '')
  const sizes = [...byFolder].map(([name, files]) => ({ name, lines: sum(files.map(({ lines }) => lines.length)) }))
  const [largest] = sizes.sort((one, other) => other.lines - one.lines)
  return largest ? `${largest.name}, ${percent(largest.lines, lineCount)}` : ''
}

function templateLines(): string {
  const lengths = filesIn('views', '.eta').flatMap(({ lines }) => lines.map(({ length }) => length))
  return `${lengths.filter(length => length > 160).length}, longest ${Math.max(...lengths)}`
}

function longSubjects(range: string): string {
  const log = execFileSync('git', ['log', '--format=%s', range], { cwd: root, encoding: 'utf8' })
  const subjects = log.split('\n').filter(Boolean)
  return percent(subjects.filter(({ length }) => length > 72).length, subjects.length || 1)
}

/** The exceptions in the test of table owners, each with its reason. */
function foreignWrites(): number {
  const text = fs.readFileSync(path.join(root, 'test/architecture/tables.test.ts'), 'utf8')
  const [, exceptions = ''] = /^const exceptions[^\n]*\n(.*?)^\}/ms.exec(text) ?? []
  return [...exceptions.matchAll(/\b\w+: '/g)].length
}

const { lines: sourceLines, comments, functions, nonNulls, casts, groups } = shapeOfSource()
const over = (most: number) => functions.filter(({ lines }) => lines > most).length
const longest = functions.reduce((one, other) => (other.lines > one.lines ? other : one))
const tested = 'tested in test/architecture.test.ts'

const figures = [
  ['largest folder of src', '≤ 15 %', largestFolder()],
  ['imports upward', '0', tested],
  ['functions over 40 lines', '0', `${over(40)}`],
  ['functions over 60 lines, longest', '0, ≤ 60', `${over(60)}, ${longest.lines} (${longest.file} ${longest.name})`],
  ['comments', '≤ 5 %', percent(comments, sourceLines)],
  ['writes to tables of another feature', '≤ 12', `${foreignWrites()}`],
  ['non-null `!`', '≤ 40', `${nonNulls.length}`],
  ['casts', '≤ 25', `${casts.length}`],
  ['template lines over 160 characters', '0', templateLines()],
  ['`...{ a, b }` to keep lines together', '0', `${groups.length}`],
  ['commit subjects over 72 characters', '0', longSubjects('HEAD')],
  ...(since ? [[`commit subjects over 72 characters since ${since}`, '0', longSubjects(`${since}..HEAD`)]] : []),
  ['`npm test`, `npm run check` on two cores', '≤ 5 min, ≤ 15 s', 'measure with `time`']
]

console.log('| | Goal | Measured |\n|---|---|---|')
for (const row of figures) console.log(`| ${row.join(' | ')} |`)

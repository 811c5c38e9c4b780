/** The shape of the source, counted with the compiler's own parser: for the architecture test and `npm run figures`. */
import path from 'node:path'
import {
  isAsExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isNonNullExpression,
  isObjectLiteralExpression,
  isPropertyAssignment,
  isSpreadAssignment,
  isTypeAssertion,
  isVariableDeclaration,
  type Node,
  type SourceFile
} from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

const root = path.join(import.meta.dirname, '..')

export interface MeasuredFunction {
  file: string
  name: string
  lines: number
}

export interface Shape {
  lines: number
  /** Lines that hold nothing but a comment or a part of one. */
  comments: number
  /** Functions with a body; the lines of a nested function count for both. */
  functions: MeasuredFunction[]
  /** Where `value!` is written. */
  nonNulls: string[]
  /** Where `value as Type` is written; `as const` checks more, not less, and is left out. */
  casts: string[]
  /** Where `...{ a, b }` is written only to keep properties on one line. */
  groups: string[]
}

/** Measures the files in `src`. */
export function shapeOfSource(): Shape {
  const shape: Shape = { lines: 0, comments: 0, functions: [], nonNulls: [], casts: [], groups: [] }
  // each file is parsed alone, without libraries, other files or types
  const config = path.join(root, 'shape.tsconfig.json')
  const settings = { compilerOptions: { noLib: true, noResolve: true, types: [] }, include: ['src'] }
  const files = {
    readFile: (name: string) => (name === config ? JSON.stringify(settings) : undefined),
    fileExists: (name: string) => name === config || undefined
  }
  const api = new API({ cwd: root, fs: files })
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program
    for (const name of program?.getSourceFileNames() ?? []) {
      const source = program?.getSourceFile(name)
      if (source) measure(source, path.relative(root, name), shape)
    }
  } finally {
    api.close()
  }
  return shape
}

const isComment = (line: string) => /^\s*(\/\/|\/\*|\*( |\/|$))/.test(line)

function measure(source: SourceFile, file: string, shape: Shape): void {
  const text = source.text.trimEnd().split('\n')
  shape.lines += text.length
  shape.comments += text.filter(isComment).length
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line
  const visit = (node: Node): void => {
    const place = `${file}:${lineOf(node.getStart(source)) + 1}`
    if (isFunctionLikeDeclaration(node) && node.body)
      shape.functions.push({ file, name: nameOf(node), lines: lineOf(node.end) - lineOf(node.getStart(source)) + 1 })
    if (isNonNullExpression(node)) shape.nonNulls.push(place)
    if (isTypeAssertion(node) || (isAsExpression(node) && node.type.getText(source) !== 'const'))
      shape.casts.push(place)
    if (isSpreadAssignment(node) && isObjectLiteralExpression(node.expression)) shape.groups.push(place)
    node.forEachChild(visit)
  }
  source.forEachChild(visit)
}

/** The name of a function, or of the variable or property that it is assigned to. */
function nameOf(node: Node): string {
  const named = isVariableDeclaration(node.parent) || isPropertyAssignment(node.parent) ? node.parent : node
  const name = 'name' in named ? (named.name as Node | undefined) : undefined
  return name && isIdentifier(name) ? name.text : 'anonymous'
}

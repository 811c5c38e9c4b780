// Applies patches/*.patch to the packages that npm has installed, on any Node >= 18. A patch that does not fit stops the install.
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** The hunks of one file: the lines that must be there, and those that replace them. */
function hunksOf(lines) {
  const hunks = []
  for (const line of lines) {
    const [, start] = /^@@ -(\d+)/.exec(line) ?? []
    if (start) hunks.push({ start: Number(start) - 1, before: [], after: [] })
    const hunk = hunks.at(-1)
    if (!hunk || start || line.startsWith('\\')) continue
    const text = line.slice(1)
    if (line[0] === ' ' || line[0] === '-') hunk.before.push(text)
    if (line[0] === ' ' || line[0] === '+') hunk.after.push(text)
  }
  return hunks
}

const isAt = (lines, place, wanted) => wanted.every((text, index) => lines[place + index] === text)

/** The text with all hunks; the same text where they are in it already. @throws where one does not fit. */
function applied(text, patch) {
  const lines = text.split('\n')
  let moved = 0
  for (const { start, before, after } of hunksOf(patch)) {
    const place = start + moved
    moved += after.length - before.length
    if (isAt(lines, place, after)) continue
    if (!isAt(lines, place, before)) throw new Error(`it does not fit at line ${start + 1}`)
    lines.splice(place, before.length, ...after)
  }
  return lines.join('\n')
}

function applyAll(folder = root) {
  for (const name of fs.readdirSync(path.join(folder, 'patches'))) {
    const files = fs
      .readFileSync(path.join(folder, 'patches', name), 'utf8')
      .trimEnd()
      .split(/^diff --git .*$/m)
      .slice(1)
    for (const part of files) {
      const [, file] = /^\+\+\+ b\/(.+)$/m.exec(part) ?? []
      const at = path.join(folder, file)
      try {
        const text = fs.readFileSync(at, 'utf8')
        const patched = applied(text, part.split('\n'))
        if (patched !== text) fs.writeFileSync(at, patched)
      } catch (error) {
        console.error(`patches/${name}, ${file}: ${error.message}`)
        process.exitCode = 1
      }
    }
  }
}

module.exports = { applied }
if (require.main === module) applyAll()

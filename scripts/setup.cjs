// Runs on any Node >= 18: installs what is missing or older than the lock file or the patches, builds tap once, and checks
// the Node version.
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

process.chdir(path.join(__dirname, '..'))
const isWindows = process.platform === 'win32'

const modifiedAt = file => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2], shell: isWindows })
  if (result.status !== 0) process.exit(result.status ?? 1)
}

const testing = process.env.npm_lifecycle_event !== 'prestart'
const withoutTests = fs.existsSync('node_modules') && !fs.existsSync('node_modules/tap')
const patches = fs.readdirSync('patches').map(name => modifiedAt(path.join('patches', name)))
const isOld = Math.max(modifiedAt('package-lock.json'), ...patches) > modifiedAt('node_modules/.package-lock.json')
if (isOld || (testing && withoutTests)) {
  console.error('Installing dependencies (only once) ...')
  const production = process.env.NODE_ENV === 'production' && !testing
  run('npm', ['ci', ...(production ? ['--omit=dev'] : ['--include=dev']), '--include=optional'])
}

// without its TypeScript plugin: Node strips the types itself
if (testing && modifiedAt('.taprc') > modifiedAt('node_modules/.tap-built')) {
  run(path.join('node_modules', '.bin', 'tap'), ['build'])
  fs.writeFileSync('node_modules/.tap-built', '')
}

const found = spawnSync('node', ['-p', 'process.versions.node'], { encoding: 'utf8', shell: isWindows }).stdout?.trim()
if (!(Number(found?.split('.')[0]) >= 24)) {
  console.error(`Rollcall needs Node 24 or later on this platform, found ${found || 'none'}: see https://nodejs.org`)
  process.exit(1)
}

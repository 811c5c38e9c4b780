/** What an installation consists of. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')
const read = <T>(file: string) => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')) as T

interface Locked {
  version?: string
  integrity?: string
  resolved?: string
  dev?: boolean
  optional?: boolean
  hasInstallScript?: boolean
  os?: string[]
  cpu?: string[]
}
const { packages } = read<{ packages: Record<string, Locked> }>('package-lock.json')
const installed = Object.entries(packages)
  .filter(([place]) => place !== '')
  .map(([place, locked]) => ({ ...locked, name: place.slice(place.lastIndexOf('node_modules/') + 13) }))
const forProduction = installed.filter(({ dev }) => !dev)

const platforms = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64']
const fits = ({ os, cpu }: Locked, platform: string) => {
  const [system = '', processor = ''] = platform.split(' ')
  return (os ?? [system]).includes(system) && (cpu ?? [processor]).includes(processor)
}

t.test('S35: production installs at most 140 packages', async t => {
  for (const platform of platforms) {
    const count = forProduction.filter(each => fits(each, platform)).length
    t.ok(count > 50 && count <= 140, `${platform}: ${count}`)
  }
})

const numbers = (version: string) => version.split('-', 1).join().split('.').map(Number)

/** Is `version` older than `floor`, by its numbers? */
function isOlder(version: string, floor: string): boolean {
  const [one, two] = [numbers(version), numbers(floor)]
  const at = one.findIndex((number, index) => number !== two[index])
  return at >= 0 && (one[at] ?? 0) < (two[at] ?? 0)
}

/** A floor for each major version that is kept up; an older major has none. */
function isBad(version: string, floors: string[]): boolean {
  const [major] = numbers(version)
  const own = floors.find(floor => numbers(floor)[0] === major)
  return own ? isOlder(version, own) : floors.some(floor => isOlder(version, floor))
}

const knownBad = read<Record<string, string | string[]>>('docs/known-bad.json')

t.test('S35: no package is older than the version that mended a known flaw', async t => {
  const bad = installed.filter(
    ({ name, version = '' }) => name in knownBad && isBad(version, [knownBad[name] ?? []].flat())
  )
  t.same(
    bad.map(({ name, version }) => `${name} ${version}`),
    []
  )
  t.ok(installed.filter(({ name }) => name in knownBad).length > 5, 'the floors name packages that are used')
  t.ok(isBad('5.12.2', ['5.12.3']))
  t.ok(isBad('3.1.6', ['3.1.7', '4.1.4']) && isBad('4.1.3', ['3.1.7', '4.1.4']) && isBad('2.9.0', ['3.1.7', '4.1.4']))
  t.notOk(isBad('3.1.7', ['3.1.7', '4.1.4']) || isBad('5.12.10', ['5.12.3']) || isBad('1.0.0-rc.5', ['0.45.2']))
})

t.test('S36: every package has a digest, and install scripts are named', async t => {
  t.same(
    installed.filter(({ integrity }) => !integrity?.startsWith('sha512-')).map(({ name }) => name),
    []
  )
  t.same(
    installed.filter(({ resolved }) => resolved?.startsWith('http:') || resolved?.startsWith('git')),
    []
  )
  const { allowScripts } = read<{ allowScripts: Record<string, boolean> }>('package.json')
  t.same(
    installed.filter(each => each.hasInstallScript && !(each.name in allowScripts)).map(({ name }) => name),
    []
  )
})

t.test('S35: the bill of materials lists exactly what production installs', async t => {
  const { stdout, status } = spawnSync(process.execPath, ['scripts/sbom.ts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26
  })
  t.equal(status, 0)
  const bill = JSON.parse(stdout) as {
    bomFormat: string
    components: { name: string; version: string; hashes: object[] }[]
  }
  t.equal(bill.bomFormat, 'CycloneDX')
  const named = bill.components.map(({ name, version }) => `${name} ${version}`)
  t.ok(bill.components.every(({ hashes }) => hashes.length === 1))
  const wanted = forProduction.map(({ name, version }) => `${name} ${version}`)
  t.same([...new Set(named)].sort(), [...new Set(wanted)].sort())
})

/** Prints what production installs, from the lock file, as CycloneDX JSON. `npm sbom` leaves out packages that are peers, too. */
import fs from 'node:fs'
import path from 'node:path'

interface Locked {
  version: string
  license?: string
  resolved?: string
  integrity?: string
  dev?: boolean
  optional?: boolean
}

const root = path.join(import.meta.dirname, '..')
const read = (file: string) => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'))
const { name, version, license }: { name: string; version: string; license: string } = read('package.json')
const { packages }: { packages: Record<string, Locked> } = read('package-lock.json')

const purlOf = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`

function componentOf([place, locked]: [string, Locked]) {
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const purl = purlOf(name, locked.version)
  const digest = locked.integrity?.startsWith('sha512-') ? locked.integrity.slice('sha512-'.length) : undefined
  return {
    type: 'library',
    'bom-ref': `${purl}#${place}`,
    name,
    version: locked.version,
    scope: locked.optional ? 'optional' : 'required',
    purl,
    ...(digest && { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
    ...(locked.license && { licenses: [{ expression: locked.license }] })
  }
}

const components = Object.entries(packages)
  .filter(([place, { dev }]) => place !== '' && !dev)
  .map(componentOf)
const component = {
  type: 'application',
  name,
  version,
  licenses: [{ expression: license }],
  purl: purlOf(name, version)
}
const bill = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components }
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`)

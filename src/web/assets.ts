/** Styles, scripts and pictures: bundled in memory at start, named by content, cached forever. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { browserFunctions } from '../lib/addresses/split-addresses.ts'

export interface Assets {
  css: string
  js: string
  icons: string
  favicon: string
}

interface Asset {
  type: string
  plain: Buffer
  br: Buffer
  gzip: Buffer
}

const publicFolder = path.join(import.meta.dirname, '../../public')
const inPublic = (...names: string[]) => path.join(publicFolder, ...names)
const filesIn = (folder: string, ending: string) =>
  fs
    .readdirSync(inPublic(folder))
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => inPublic(folder, name))

export async function serveAssets(app: FastifyInstance): Promise<Assets> {
  const served = new Map<string, Asset>()
  const add = async (name: string, type: string, text: string) => void served.set(name, await packed(type, text))
  const hashed = async (base: string, extension: string, type: string, text: string) => {
    const name = `${base}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${extension}`
    await add(name, type, text)
    return `/assets/${name}`
  }
  const paths = {
    css: await hashed('app', 'css', 'text/css; charset=utf-8', styles()),
    js: await hashed('app', 'js', 'text/javascript; charset=utf-8', scripts()),
    icons: await hashed('icons', 'svg', 'image/svg+xml', read(inPublic('icons.svg'))),
    favicon: await hashed('favicon', 'svg', 'image/svg+xml', read(inPublic('favicon.svg')))
  }
  for (const file of filesIn('.', '.svg')) await add(path.basename(file), 'image/svg+xml', read(file))

  app.get<{ Params: { name: string } }>('/assets/:name', { config: { access: 'anyone' } }, async (request, reply) => {
    const asset = served.get(request.params.name)
    if (!asset) return reply.callNotFound()
    const encoding = (['br', 'gzip'] as const).find(each => accepts(request.headers['accept-encoding'], each))
    const isHashed = /-[0-9a-f]{12}\./.test(request.params.name)
    if (encoding) reply.header('content-encoding', encoding)
    return reply
      .header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'public, max-age=3600')
      .header('vary', 'accept-encoding')
      .type(asset.type)
      .send(encoding ? asset[encoding] : asset.plain)
  })
  return paths
}

/** Whether an Accept-Encoding header names this coding with a weight above 0 (RFC 9110, 12.5.3). */
export function accepts(header: string | string[] | undefined, coding: string): boolean {
  return String(header ?? '')
    .slice(0, 1024)
    .toLowerCase()
    .split(',')
    .map(part => part.split(';').map(word => word.trim()))
    .some(([name, ...weights]) => name === coding && !weights.some(weight => /^q\s*=\s*0(\.0*)?$/.test(weight)))
}

const read = (file: string) => fs.readFileSync(file, 'utf8')

async function packed(type: string, text: string): Promise<Asset> {
  const plain = Buffer.from(text)
  return { type, plain, br: await promisify(brotliCompress)(plain), gzip: await promisify(gzip)(plain) }
}

function styles(): string {
  const named = (name: string) => inPublic('css', `${name}.css`)
  const first = ['tokens', 'base', 'layout'].map(named)
  const parts = [...filesIn('css/components', '.css'), ...filesIn('css/charts', '.css')]
  const order = '@layer tokens, base, layout, components, charts, utilities;\n'
  return order + [...first, ...parts, named('utilities')].map(read).join('\n')
}

/** One file: with several deferred scripts an extension may load after htmx and never be initialized. */
function scripts(): string {
  const htmx = path.join(path.dirname(fileURLToPath(import.meta.resolve('htmx.org'))), 'htmx.min.js')
  const withoutMap = read(htmx).replace(/\n\/\/# sourceMappingURL=.*$/m, '')
  return [withoutMap, addressFunctions(), ...filesIn('js', '.js').map(read)].join('\n;')
}

/** The browser reads a paste with the same functions as the server. */
function addressFunctions(): string {
  const names = browserFunctions.map(each => each.name).join(', ')
  return `const rollcallAddresses = (() => { ${browserFunctions.join('\n')}\nreturn { ${names} } })()`
}

/** `npm run bench <name> [sizes]`: benchmarks, each with its baseline, one command each. None of them is a test. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

const names = readdirSync(import.meta.dirname)
  .filter(name => name.endsWith('.ts') && name !== 'run.ts')
  .map(name => name.slice(0, -'.ts'.length))
const [name = '', ...sizes] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`npm run bench <name> [sizes], where the name is one of: ${names.join(', ')}`)
  process.exit(1)
}
const bench = (await import(path.join(import.meta.dirname, `${name}.ts`))) as {
  run: (sizes: number[]) => Promise<void>
}
await bench.run(sizes.map(size => Number(size.replaceAll(/[_,]/g, ''))))
process.exit(0)

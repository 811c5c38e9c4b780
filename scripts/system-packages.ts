/** The system packages that the tests need: installed on Debian or Ubuntu as root, otherwise named. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'

const needed = [
  { name: 'chromium', found: () => fs.existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium') },
  { name: 'slapd', found: () => fs.existsSync('/usr/sbin/slapd') },
  { name: 'ldap-utils', found: () => fs.existsSync('/usr/bin/ldapsearch') },
  { name: 'postfix', found: () => fs.existsSync('/usr/sbin/postfix') },
  { name: 'pgbouncer', found: () => fs.existsSync('/usr/sbin/pgbouncer') },
  { name: 'openssl', found: () => fs.existsSync('/usr/bin/openssl') }
]
/** Debian asks this file whether a package may start its service; the tests start their own. */
const policy = '/usr/sbin/policy-rc.d'

/** Installs the missing packages with apt; where that is not allowed, prints the exact command and ends the run. */
export function installSystemPackages(): void {
  const missing = needed.filter(entry => !entry.found()).map(entry => entry.name)
  if (missing.length === 0) return
  const command = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing]
  const mayInstall = process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get')
  if (!mayInstall) {
    console.error(
      `The tests need ${missing.join(', ')}. Install with: sudo apt-get update && sudo ${command.join(' ')}`
    )
    process.exit(1)
  }
  console.log(`Installing system packages for the tests: ${missing.join(', ')}`)
  run(['apt-get', 'update'])
  const isOurPolicy = !fs.existsSync(policy)
  if (isOurPolicy) fs.writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run(command)
  } finally {
    if (isOurPolicy) fs.rmSync(policy)
  }
}

function run([command, ...args]: string[]) {
  const result = spawnSync(command!, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
}

/** A real Active Directory domain controller (Samba), if it is installed: provisioned once for the test file. */
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { DirectorySettings } from '../../src/ldap/directory.ts'
import { atExit } from './at-exit.ts'
import { settingsFor } from './slapd.ts'

export const isSambaHere = fs.existsSync('/usr/sbin/samba') && process.getuid?.() === 0

export const sambaSuffix = 'DC=larkfield,DC=example'
const address = '127.0.0.11'
const password = 'Roll-Call-Secret-1'

export interface Samba {
  settings: DirectorySettings
  /** Loads LDIF into the database of the running server. */
  add(ldif: string): void
  modify(ldif: string): void
  stop(): Promise<void>
}

export async function startSamba(): Promise<Samba> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-samba-'))
  const run = (command: string, args: string[]) => execFileSync(command, args, { stdio: 'pipe' })
  run('samba-tool', [
    'domain',
    'provision',
    '--realm=LARKFIELD.EXAMPLE',
    '--domain=LARKFIELD',
    `--adminpass=${password}`,
    '--dns-backend=NONE',
    '--server-role=dc',
    '--host-ip=127.0.0.1',
    `--targetdir=${folder}`
  ])
  for (const name of ['run', 'log', 'ncalrpc']) fs.mkdirSync(path.join(folder, name), { recursive: true })
  const options = [
    `interfaces=${address}/8`,
    'bind interfaces only=yes',
    'server services=ldap',
    'ldap server require strong auth=no',
    'disable netbios=yes',
    'tls enabled=no',
    `pid directory=${folder}/run`,
    `ncalrpc dir=${folder}/ncalrpc`,
    `log file=${folder}/log/log.%m`
  ]
  const args = ['-F', '--no-process-group', '-M', 'single', '-s', `${folder}/etc/smb.conf`]
  const child = spawn('/usr/sbin/samba', [...args, ...options.map(each => `--option=${each}`)], { stdio: 'ignore' })
  atExit(() => child.kill('SIGKILL'))
  await untilListening()
  const load = (command: string, ldif: string) => {
    const file = path.join(folder, 'data.ldif')
    fs.writeFileSync(file, ldif)
    run(command, ['-H', `${folder}/private/sam.ldb`, file])
  }
  return {
    settings: {
      ...settingsFor(`ldap://${address}`),
      bindDn: `CN=Administrator,CN=Users,${sambaSuffix}`,
      bindPassword: password,
      baseDn: sambaSuffix
    },
    add: ldif => load('ldbadd', ldif),
    modify: ldif => load('ldbmodify', ldif),
    async stop() {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function untilListening() {
  for (let tries = 0; tries < 500; tries += 1) {
    const isUp = await new Promise<boolean>(resolve => {
      const socket = net.connect(389, address)
      socket.once('connect', () => resolve(!!socket.destroy())).once('error', () => resolve(false))
    })
    if (isUp) return
    await new Promise(resolve => setTimeout(resolve, 40))
  }
  throw new Error('samba does not listen')
}

/** A real postfix in its own folder, on a loopback port: `master` alone, without the system's configuration. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { atExit } from './at-exit.ts'
import { freePort, until } from './server.ts'
import { settingsFor } from './smtp-server.ts'

export const hasPostfix = () => fs.existsSync('/usr/sbin/postfix') && process.getuid?.() === 0

/** Accepts every email for larkfield.example and discards it. `limits` are lines of main.cf. */
export async function startPostfix(limits: string[]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-postfix-'))
  fs.chmodSync(folder, 0o755)
  const port = await freePort()
  const [config, queue, data] = ['config', 'queue', 'data'].map(name => path.join(folder, name)) as [
    string,
    string,
    string
  ]
  for (const each of [config, queue, data]) fs.mkdirSync(each)
  execFileSync('chown', ['postfix', data])
  const main = [
    'compatibility_level = 3.6',
    `queue_directory = ${queue}`,
    `data_directory = ${data}`,
    `maillog_file = /dev/stdout`,
    `maillog_file_prefixes = /dev, ${folder}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'mynetworks = 127.0.0.0/8',
    'myhostname = mx.larkfield.example',
    'mydestination =',
    'relay_domains = larkfield.example',
    'default_transport = discard:',
    'relay_transport = discard:',
    'local_recipient_maps =',
    'alias_maps =',
    'smtpd_client_event_limit_exceptions =',
    'anvil_rate_time_unit = 10s',
    ...limits
  ]
  fs.writeFileSync(path.join(config, 'main.cf'), `${main.join('\n')}\n`)
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'discard unix - - n - - discard',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'proxymap unix - - n - - proxymap',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd'
  ]
  fs.writeFileSync(path.join(config, 'master.cf'), `${services.join('\n')}\n`)
  execFileSync('/usr/sbin/postfix', ['-c', config, 'check'], { stdio: 'ignore' })
  const master: ChildProcess = spawn('/usr/lib/postfix/sbin/master', ['-d', '-c', config], { stdio: 'ignore' })
  atExit(() => master.kill('SIGTERM'))
  await until(() => answers(port), 15_000)
  const stop = async () => {
    const ended = new Promise(resolve => master.once('exit', resolve))
    master.kill('SIGTERM')
    await ended
    fs.rmSync(folder, { recursive: true, force: true })
  }
  return { settings: settingsFor(port), stop }
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('data', () => resolve(true))
    socket.once('data', () => socket.destroy())
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })

import fs from 'node:fs'

/** CPU time of this process, and of the processes that it started and that have ended, if the system reports it. */
export function secondsOfCpu(): [own: number, children: number] {
  const { user, system } = process.cpuUsage()
  const fields = fs.existsSync('/proc/self/stat') ? fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1]! : ''
  const [ofUser = 0, ofSystem = 0] = fields.split(' ').slice(13, 15).map(Number)
  return [(user + system) / 1e6, (ofUser + ofSystem) / 100]
}

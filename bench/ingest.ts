/**
 * Uploading a list and inviting everyone on it (`action=send`), from the first byte until recipients, people,
 * invitations and deliveries exist, compared with the floor of writing the same rows on the same server. No email is
 * sent: the configured mail server is unreachable.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { startEmbedded } from '../src/db/embedded/start.ts'
import { startOnServer } from './support/app-process.ts'
import { floorSeconds } from './support/floor.ts'
import { uploadOf } from './support/lists.ts'

export async function run(sizes: number[]): Promise<void> {
  console.log('lines      received s   whole s   lines/s   floor s   ratio   peak MB   /invite p50 ms   p99 ms')
  for (const size of sizes.length > 0 ? sizes : [10_000, 100_000]) await measure(size)
}

async function measure(lines: number): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-bench-'))
  fs.chmodSync(folder, 0o755)
  const server = await startEmbedded(folder)
  try {
    const floor = await floorSeconds(server.url, lines)
    const ours = await ingest(server.url, folder, lines)
    const cells = [
      String(lines).padEnd(10),
      ours.received.toFixed(2).padStart(10),
      ours.whole.toFixed(2).padStart(9),
      String(Math.round(lines / ours.whole)).padStart(9),
      floor.toFixed(2).padStart(9),
      (ours.whole / floor).toFixed(2).padStart(7),
      ours.peak.toFixed(0).padStart(9),
      ours.p50.toFixed(0).padStart(16),
      ours.p99.toFixed(0).padStart(8)
    ]
    console.log(cells.join(' '))
  } finally {
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function ingest(serverUrl: string, folder: string, lines: number) {
  const { app, db, drop } = await startOnServer(serverUrl, folder, {})
  const watch = watchPages(app.get)
  const boundary = '----bench'
  const begin = performance.now()
  const body = Readable.toWeb(Readable.from(uploadOf(lines, 'send', boundary))) as unknown as BodyInit
  const answer = await app.post('/bulk', body, { 'content-type': `multipart/form-data; boundary=${boundary}` })
  if (answer.status !== 303) throw new Error(`the upload returned ${answer.status}: ${await answer.text()}`)
  const received = (performance.now() - begin) / 1000
  for (;;) {
    const [row] = await db.$client.unsafe(`select state, mails_queued + mails_sending as n from batches`)
    if (row!.state !== 'checking') {
      if (row!.n !== lines) throw new Error(`${row!.n} emails are queued, not ${lines}`)
      break
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const whole = (performance.now() - begin) / 1000
  const times = (await watch.stop()).sort((one, other) => one - other)
  const peak = app.peakMegabytes()
  await drop()
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { received, whole, peak, p50: at(0.5), p99: at(0.99) }
}

/** A user who opens other pages meanwhile. */
function watchPages(get: (path: string) => Promise<Response>) {
  const times: number[] = []
  let isOver = false
  const looking = (async () => {
    while (!isOver) {
      const begin = performance.now()
      await (await get('/invite')).text()
      times.push(performance.now() - begin)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })()
  return {
    stop: async () => {
      isOver = true
      await looking
      return times
    }
  }
}

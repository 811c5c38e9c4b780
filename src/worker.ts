/** Work in the background: `tick` does what is due now, `startWorker` does it when woken and every few seconds. */
import path from 'node:path'
import { clearCancelled } from './batches/control/cancel.ts'
import { markIncomplete } from './batches/intake/receive.ts'
import { classifyNext } from './batches/judging/classify.ts'
import { forgetLines } from './batches/report/forget-store.ts'
import { sampleProgress } from './batches/report/progress-store.ts'
import { silentUploads } from './batches/store.ts'
import type { Config } from './config/env.ts'
import { type Database, inTime, transaction } from './db/client.ts'
import { listen } from './db/notices.ts'
import { forgetSelection } from './groups/members/selection-store.ts'
import { invitationComposer } from './invitations/email.ts'
import type { Directory, DirectorySettings } from './ldap/directory.ts'
import { newBell } from './lib/bell.ts'
import { deliverDue } from './mail/deliver-due.ts'
import type { Log, MailTransport } from './mail/delivery.ts'
import { stepHold } from './mail/origin.ts'
import { outboxTransport } from './mail/outbox.ts'
import { removeLostWorkers, removeWorker } from './mail/queue/limits-store.ts'
import { smtpTransport } from './mail/smtp.ts'
import { forgetLogoutTokens } from './oidc/accounts-store.ts'
import { forgetAttempts } from './oidc/attempts-store.ts'
import { compactCounts } from './people/counts-store.ts'
import { deleteEndedSessions } from './sessions/store.ts'
import { accountComposers } from './sign-in/account-email.ts'
import { deleteOldLinks } from './sign-in/account-links-store.ts'
import { syncNext } from './sync/sync-due.ts'
import { compactTeamCounts, refreshMembers } from './teams/upkeep-store.ts'

export interface WorkerDeps {
  config: Config
  db: Database
  secretKey: Buffer
  log: Log
  transport: MailTransport
  /** LDAP, unless a test has its own. */
  open?: (settings: DirectorySettings) => Directory
  wake?: () => void
  signal?: AbortSignal
}

export interface Worker {
  stop: () => Promise<void>
}

/** How long a missed notice can delay work. */
const pollMs = 3000
const hourMs = 3_600_000
/** For one step; longer than its statements may take (server.ts). After that its lease expires. */
const timeoutMs = 90_000

/** Does everything that is due, once; for tests. */
export async function tick(deps: WorkerDeps): Promise<void> {
  await ingest(deps)
  await sync(deps)
  await deliver(deps)
}

/** `stop` waits for emails in flight and releases the others. */
export async function startWorker(base: Omit<WorkerDeps, 'transport' | 'signal' | 'wake'>): Promise<Worker> {
  const stopping = new AbortController()
  const transport = transportFor(base.config)
  const deps: WorkerDeps = { ...base, transport, signal: stopping.signal }
  const mails = newBell()
  const lists = newBell()
  const groups = newBell()
  const sums = newBell()
  const tidying = newBell()
  const bells = [mails, lists, groups, sums, tidying]
  const ring = () => {
    mails.ring()
    lists.ring()
    groups.ring()
  }
  const unlisten = await listen(base.db, 'rollcall_work', ring)
  const loops = [
    repeat(deps, mails, pollMs, deliver),
    repeat({ ...deps, wake: mails.ring }, lists, pollMs, ingest),
    repeat(deps, groups, pollMs, sync),
    repeat(deps, sums, pollMs, sum),
    repeat(deps, tidying, hourMs, tidy)
  ]
  return {
    stop: async () => {
      stopping.abort()
      for (const bell of bells) bell.ring()
      await Promise.all(loops)
      await unlisten()
      await transport.close()
      if (transport.peer) await inTime(removeWorker(base.db, transport.peer), 1_000).catch(() => {})
    }
  }
}

/** SMTP if a mail server is configured, otherwise files. */
export function transportFor(config: Config): MailTransport {
  return config.smtp ? smtpTransport(config.smtp) : outboxTransport(path.join(config.dataDir, 'outbox'))
}

async function repeat(
  deps: WorkerDeps,
  bell: ReturnType<typeof newBell>,
  pauseMs: number,
  work: (deps: WorkerDeps) => Promise<unknown>
) {
  while (!deps.signal?.aborted) {
    try {
      await work(deps)
    } catch (error) {
      deps.log.error({ err: error }, 'Background work failed, trying again')
    }
    await bell.wait(pauseMs)
  }
}

/** Judges and invites until no batch has more, and ends cut-off uploads and canceled batches. */
async function ingest({ db, signal, wake }: WorkerDeps) {
  for (const batchId of await inTime(silentUploads(db), timeoutMs)) await inTime(markIncomplete(db, batchId), timeoutMs)
  let isBusy = true
  while (isBusy && !signal?.aborted) {
    const hasJudged = await inTime(classifyNext(db), timeoutMs)
    if (hasJudged) wake?.()
    isBusy = (await inTime(clearCancelled(db), timeoutMs)) || hasJudged
  }
}

async function deliver({ config, db, secretKey, log, transport, signal }: WorkerDeps) {
  while (!signal?.aborted && (await inTime(stepHold(db), timeoutMs)));
  const { baseUrl, mailFrom } = config
  const composers = {
    invitation: invitationComposer({ baseUrl, secretKey, formerKeys: config.formerKeys, mailFrom }),
    ...accountComposers({ baseUrl, secretKey, mailFrom })
  }
  await deliverDue({
    db,
    log,
    transport,
    composers,
    mailHost: new URL(baseUrl).hostname,
    ...(signal ? { signal } : {})
  })
}

async function sync(deps: WorkerDeps) {
  while (!deps.signal?.aborted && (await syncNext(deps, deps.signal)));
}

/** Compacts the counts that pages add up, and records the progress of batches. */
async function sum({ db }: WorkerDeps) {
  await inTime(sampleProgress(db), timeoutMs)
  await inTime(transaction(db, compactCounts), timeoutMs)
  await inTime(transaction(db, compactTeamCounts), timeoutMs)
}

/** Deletes what nothing needs any more. */
export async function tidy({ db, signal }: Pick<WorkerDeps, 'db' | 'signal'>) {
  await inTime(deleteEndedSessions(db), timeoutMs)
  await inTime(deleteOldLinks(db), timeoutMs)
  await inTime(forgetAttempts(db), timeoutMs)
  await inTime(forgetLogoutTokens(db), timeoutMs)
  await inTime(removeLostWorkers(db), timeoutMs)
  while (!signal?.aborted && (await inTime(forgetLines(db), timeoutMs)));
  while (!signal?.aborted && (await inTime(transaction(db, forgetSelection), timeoutMs)));
  await inTime(refreshMembers(db), timeoutMs)
}

#!/usr/bin/env node
/** What operators do on the server: `rollcall sign-in-link EMAIL`. */
import { ConfigProblems, readConfig } from './config/env.ts'
import { connect } from './db/client.ts'
import { findEmbedded } from './db/embedded/start.ts'
import { reasonOf } from './db/faults.ts'
import { notify } from './db/notices.ts'
import { checkLdap } from './directory/check-environment.ts'
import { type MadeLink, makeSignInLink, signInLinkMinutes } from './sign-in/sign-in-link.ts'

const usage =
  'Usage: rollcall sign-in-link EMAIL\nPrints a link that signs this owner in once. All owners are told by email.'

const refusals: Record<Exclude<MadeLink['outcome'], 'made'>, string> = {
  'no-address': 'That is not an email address.',
  'no-user': 'No active user has this address.',
  'no-owner': 'This user is not an owner. Links are for owners only.'
}

class Refused extends Error {}

async function run([command, email, ...more]: string[]): Promise<string> {
  if (command !== 'sign-in-link' || !email || more.length > 0) throw new Refused(usage)
  const { baseUrl, dataDir, databaseUrl } = readConfig(undefined, checkLdap)
  const url = databaseUrl ?? (await findEmbedded(dataDir))
  if (!url) throw new Refused(`Rollcall is not running in ${dataDir}. Start it first, and use the same DATA_DIR.`)
  const db = connect(url, { connections: 2, statementSeconds: 30 })
  try {
    const made = await makeSignInLink(db, email)
    if (made.outcome !== 'made') throw new Refused(refusals[made.outcome])
    notify(db, 'rollcall_work')
    return `Open this link within ${signInLinkMinutes} minutes. It signs ${email} in once:\n${baseUrl}/sign-in/once/${made.token}`
  } finally {
    await db.$client.end({ timeout: 3 })
  }
}

function wordsFor(error: unknown): string {
  if (error instanceof ConfigProblems) return error.problems.join('\n')
  return error instanceof Refused ? error.message : `The link could not be made: ${reasonOf(error)}`
}

try {
  process.stdout.write(`${await run(process.argv.slice(2))}\n`)
} catch (error) {
  process.stderr.write(`${wordsFor(error)}\n`)
  process.exitCode = 1
}

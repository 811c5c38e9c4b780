import { browserInWords } from '../lib/user-agent.ts'
import type { Viewer } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { listSessions, SignInMethod } from './store.ts'

const methods: Record<SignInMethod, string> = {
  password: 'with a password',
  directory: 'with the directory’s password',
  provider: 'with the organization’s account',
  passkey: 'with a passkey',
  link: 'by a link made on the server',
  join: 'by accepting the invitation'
}

type Listed = Awaited<ReturnType<typeof listSessions>>

/** Sessions as lists show them. */
export const sessionsView = (sessions: Listed, { sessionId, timeZone }: Viewer) =>
  sessions.map(({ id, userAgent, method, createdAt, lastSeenAt }) => ({
    id,
    isThis: id === sessionId,
    browser: browserInWords(userAgent),
    method: method ? methods[method] : '',
    since: showTime(createdAt, timeZone),
    seen: showTime(lastSeenAt, timeZone)
  }))

import { counted } from '../lib/words.ts'
import { showTime } from '../web/dates.ts'
import type { Hold } from './queue/origin-store.ts'

/** `isDecided`: an owner has chosen, and Rollcall is carrying it out. */
export function shownHold({ mails, since, decision }: Hold, timeZone: string) {
  const headings = { send: 'Releasing the held emails.', discard: 'Discarding the held emails.' }
  return {
    heading: decision ? headings[decision] : 'This database is a copy. Emails are on hold.',
    text: decision
      ? `${counted(mails, 'email')} left.`
      : `${counted(mails, 'email')} held. The original may have sent them already.`,
    since: showTime(since, timeZone),
    isDecided: decision !== null
  }
}

export const heldInWords = (mails: number) =>
  `This database is a copy: ${counted(mails, 'email')} ${mails === 1 ? 'is' : 'are'} held until an owner decides in Settings › Mail.`

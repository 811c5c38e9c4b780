/** What a refusal is about. Servers use few codes for many things, so words count as well. */

import { isKeyOf } from '../../lib/known.ts'
import type { Ask, Unit } from '../delivery.ts'
import type { Reply, Stage } from './reply.ts'

/** Undefined: a permanent refusal (5xx) of this email. */
export function askOf(stage: Stage, { code, enhanced, text }: Reply): Ask | undefined {
  const words = text
    .slice(0, 500)
    .toLowerCase()
    .replace(/^\d{3}[ -]?(\d\.\d{1,3}\.\d{1,3})?\s*/, '')
  const wait = waitIn(words)
  const isPermanent = code >= 500 && !enhanced.startsWith('4.')
  const about = aboutOf(stage, code, enhanced, words, isPermanent)
  if (about === undefined) return undefined
  if (about === 'closing') return { about: 'connection', isVague: true, ...(wait ? { wait } : {}) }
  const unit = about === 'pace' ? unitIn(words) : undefined
  const limit = about === 'mail' || about === 'everything' ? undefined : limitIn(about, words)
  return { about, ...(wait ? { wait } : {}), ...(unit ? { unit } : {}), ...(limit ? { limit } : {}) }
}

function aboutOf(stage: Stage, code: number, enhanced: string, words: string, isPermanent: boolean) {
  if (isMailboxBusy.test(words)) return 'mail'
  // refusals as spam mention limits too, but waiting does not help
  if (isPermanent && (/^5\.[12]\.[1-9]/.test(enhanced) || isVerdict.test(words))) return isDaily(words, enhanced)
  if (/^4\.[12]\./.test(enhanced) && !isOfSender.test(words)) return 'mail'
  if (isGreylisting.test(words)) return isPermanent ? undefined : 'mail'
  if (isAtOnce.test(words)) return 'at-once'
  if (isPace.test(words) || isDaily(words, enhanced)) return 'pace'
  if (isOfConnection.test(words)) return 'connection'
  if (isPermanent) return undefined
  // our emails have one recipient each, so the limit counts all emails of the connection
  if (enhanced === '4.5.3') return 'connection'
  if (stage === 'connect' || stage === 'sender') return code === 421 && stage === 'sender' ? 'closing' : 'everything'
  if (enhanced === '4.3.1' || isGoingDown.test(words)) return 'everything'
  if (code === 421 || enhanced === '4.4.2') return 'closing'
  return 'mail'
}

/** Daily quotas, for which some servers use 5xx: 5.4.5 from Gmail, 5.1.90 and 5.7.233 from Office 365. */
function isDaily(words: string, enhanced: string): 'pace' | undefined {
  return /^5\.(4\.5|1\.90|7\.23[23])$/.test(enhanced) || isQuotaOfDay.test(words) ? 'pace' : undefined
}

const isQuotaOfDay =
  /\b(daily|24.hours?)\b.{0,60}\b(quota|limit|maximum|sending)|(quota|limit|maximum).{0,60}\b(per day|daily|24.hours?)\b/
const isMailboxBusy =
  /receiving (mail|messages?|email) (at a rate|too (quickly|fast|often))|recipient.{0,40}(too (quickly|fast)|exceeded (its|their))/
const isVerdict =
  /spam|block ?list|black ?list|blocked|reputation|spamhaus|policy|content|virus|unsolicited|dmarc|dkim|spf\b/
const isOfSender = /too much mail|sending (rate|limit)|rate limit|throttl/
const isGreylisting = /gr[ea]y.?list|postgrey|try again in \d+ ?s.*gr[ea]y/
const isAtOnce =
  /(concurrent|simultaneous|parallel).{0,60}(connection|session|limit|submission|thread)|too many (open |smtp |concurrent |simultaneous )*(connections|sessions|clients)(?! (per|in the|within|in an?|this|in \d))|(connections?|sessions?).{0,30}(at once|at the same time|at a time)|thread limit|too many (login|log-in|auth)|(maximum|max|limit).{0,30}(?<!per )connections?(?! (rate|per))\b.{0,30}(reached|exceeded|has been)|connection (count )?limit|too many connections|all (server )?ports.{0,20}busy/
const isPace =
  /throttl|rate.?limit|exceeded (your|the) messaging limits|(rate|frequency|speed).{0,60}(exceed|limit|too (high|fast)|reached)|(exceed|limit|too (high|fast)).{0,60}\brate\b|unusual rate|slow(ing)? down|too (fast|quickly|frequent)|server (is )?(too )?busy|too much (mail|e-?mail)|too many (messages|mails|e-?mails|recipients|requests|deliver\w+|commands|auth\w*)( \w+){0,4} (from|per|in the last|in an?|within)\b(?! (this )?(session|connection))|\d+ ?(messages|mails|e-?mails|recipients)? ?(per|an?|every|\/) ?(s|sec|second|m|min|minute|h|hour|d|day)\b|(messages?|sending|mail|e-?mail|submission|recipients?) (quota|limit)s?\b(?!.{0,30}(session|connection))|too many new tls/
const isOfConnection =
  /(messages?|mails?|e-?mails?|recipients?|transactions?|deliver\w+|commands|limit|errors|many|maximum).{0,60}(session|connection|connect)\b|(session|connection).{0,40}(limit|too many|maximum|exceed|used up|recycl|lifetime|too old|time)/
const isGoingDown =
  /shut(ting)? ?down|going down|restart|out of service|not (currently )?(available|accepting)|service (is )?(temporarily )?(not available|unavailable)|insufficient (system )?(resources|storage|disk)|disk (space|full)|maintenance|overload|load (average )?(is )?too high|system resources/

const seconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400]
])
const maxSeconds = 86_400

/** "try again in 30 s", "retry after 5 minutes", "come back in 00:05:00". Seconds, a day at most. */
function waitIn(words: string): number | undefined {
  const clock = /\b(?:in|after|for|wait|back)\D{0,20}(\d{1,2}):(\d\d):(\d\d)\b/.exec(words)
  if (clock) return Math.min(maxSeconds, Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]))
  const [, amount, unit = ''] =
    /\b(?:again|retry|back|wait|after|delay(?:ed)?|until|pause)\b[^\d\n]{0,30}?(\d{1,6}) ?(s|m|h|d)(?:ec|in|r|ays?|inutes?|econds?|ours?|rs)?(?:s|\b)/.exec(
      words
    ) ?? []
  const factor = seconds.get(unit)
  return factor && Math.min(maxSeconds, Number(amount) * factor)
}

const units = { s: 'second', m: 'minute', h: 'hour', d: 'day' } as const

function unitIn(words: string): Unit | undefined {
  const found = /(?:per|an?|each|every|\/|last|within) ?\d* ?(s|m|h|d)(?:ec|in|r|ay|inute|econd|our)?s?\b/.exec(
    words
  )?.[1]
  if (found && isKeyOf(units, found)) return units[found]
  if (/daily|day\b|24.hours?/.test(words)) return 'day'
  if (/hourly|\bhour\b/.test(words)) return 'hour'
  return /maximum sending rate|per.?second/.test(words) ? 'second' : undefined
}

type Limitable = 'pace' | 'at-once' | 'connection'

function limitIn(about: Limitable, words: string): number | undefined {
  const number = {
    pace: /(\d[\d,]{0,8}) ?(?:messages|mails|e-?mails|recipients|submissions)? ?(?:per|an?|each|every|\/) ?(?:s|m|h|d)/,
    'at-once':
      /(?:max\w*|limit|most|only|allow\w*)\D{0,20}?(\d{1,4})\b(?![.:\d])|(\d{1,4}) (?:concurrent|simultaneous|parallel|open)/,
    connection:
      /(?:max\w*|limit|most|only)\D{0,20}?(\d{1,6})\b(?![.:\d])|(\d{1,6}) (?:messages|mails|e-?mails|recipients) (?:per|in)/
  }[about].exec(words)
  const value = Number((number?.[1] ?? number?.[2])?.replaceAll(',', ''))
  return value > 0 ? value : undefined
}

import type { SmtpSettings } from '../config/smtp.ts'
import { counted, number, rateInWords } from '../lib/words.ts'
import { durationInWords } from '../web/dates.ts'
import type { KnownLimits } from './queue/limits-store.ts'

/** Sentences, none without limits. `left`: how many emails wait, to estimate the time. */
export function limitsInWords(
  { host, connections }: Pick<SmtpSettings, 'host' | 'connections'>,
  known: KnownLimits | undefined,
  left = 0,
  now = Date.now()
): string[] {
  if (!known) return []
  const sentences: string[] = []
  if (known.connections !== null && known.connections < connections)
    sentences.push(
      `${host} allows ${counted(known.connections, 'connection')} at once; Rollcall uses ${number(known.connections)}.`
    )
  if (known.mailsPerConnection !== null)
    sentences.push(
      `${host} takes ${counted(known.mailsPerConnection, 'email')} on one connection; Rollcall then opens another.`
    )
  if (known.perMinute !== null)
    sentences.push(
      `${host} asked Rollcall to slow down: ${rateInWords(known.perMinute)} ${known.perMinute === 1 ? 'email' : 'emails'} a minute.${timeFor(left, known.perMinute)}`
    )
  if (known.restUntil && known.restUntil.getTime() > now)
    sentences.push(
      `${host} asked Rollcall to wait. Sending resumes in ${durationInWords(known.restUntil.getTime() - now)}; no email is lost.`
    )
  if (sentences.length > 0 && known.reply) sentences.push(`Its reply: ${known.reply}`)
  return sentences
}

function timeFor(left: number, perMinute: number): string {
  if (left === 0) return ''
  const minutes = Math.ceil(left / perMinute)
  const time = minutes < 120 ? counted(minutes, 'minute') : durationInWords(minutes * 60_000)
  return ` ${counted(left, 'email')} left, about ${time}.`
}

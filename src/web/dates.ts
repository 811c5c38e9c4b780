export interface ShownTime {
  iso: string
  text: string
}

const day = { day: 'numeric', month: 'short' } as const
const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const year = { year: 'numeric' } as const
const formats = new Map<string, Intl.DateTimeFormat>()

const write = (date: Date, timeZone: string, parts: Intl.DateTimeFormatOptions) =>
  formatFor(timeZone, parts).format(date)

/** A zone that this Node does not know, saved by another version, must not break a page: it falls back to UTC. */
function formatFor(timeZone: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timeZone} ${Object.keys(parts)}`
  const known =
    formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { timeZone: resolved(timeZone) ?? 'UTC', ...parts })
  formats.set(key, known)
  return known
}

function show(date: Date, timeZone: string, parts: Intl.DateTimeFormatOptions): ShownTime {
  const isThisYear = write(date, timeZone, year) === write(new Date(), timeZone, year)
  return { iso: date.toISOString(), text: write(date, timeZone, isThisYear ? parts : { ...parts, ...year }) }
}

/** "24 Nov, 14:05"; with the year unless it is the current one. */
export function showTime(date: Date, timeZone: string): ShownTime {
  return show(date, timeZone, { ...day, ...time })
}

export function showDay(date: Date, timeZone: string): ShownTime {
  return show(date, timeZone, day)
}

/** The IANA zone in its usual spelling; undefined for nonsense or an offset, which has no summer time. */
export function timeZoneNamed(text: string): string | undefined {
  const name = text.trim()
  return /^[a-z][\w+/-]{1,63}$/i.test(name) ? resolved(name) : undefined
}

function resolved(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

const hour = 3_600_000

/** When a day (`YYYY-MM-DD`, plus `later` days) starts in a zone. PostgreSQL lacks some of Node's zones. */
export function startOfDay(day: string, timeZone: string, later = 0): Date {
  const midnight = new Date(`${day}T00:00:00Z`).getTime() + later * 24 * hour
  // zones are at most 14 hours ahead and 12 behind; where the clocks skip midnight, the day begins after it
  let [before, after] = [midnight - 16 * hour, midnight + 16 * hour]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (middle + offsetAt(middle, timeZone) < midnight) before = middle
    else after = middle
  }
  return new Date(after)
}

function offsetAt(moment: number, timeZone: string): number {
  const text = formatFor(timeZone, { timeZoneName: 'longOffset' }).format(moment)
  const [, sign, hours, minutes, seconds = '0'] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text) ?? []
  if (!hours || !minutes) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
}

/** "42 s", "1 min 42 s", "2 h 5 min". */
export function durationInWords(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** Time as an admin reads it. Stored in UTC, shown in the reader's zone. */

export interface ShownTime {
  iso: string
  text: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(timeZone: string, withTime: boolean): Intl.DateTimeFormat {
  const key = `${timeZone} ${withTime}`
  const known = formats.get(key)
  if (known) return known
  const time = withTime ? ({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const) : {}
  const made = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short', year: 'numeric', ...time })
  formats.set(key, made)
  return made
}

/** "24 Nov 2026, 14:05". */
export function showTime(date: Date, timeZone: string): ShownTime {
  return { iso: date.toISOString(), text: format(timeZone, true).format(date) }
}

/** "24 Nov 2026". */
export function showDay(date: Date, timeZone: string): ShownTime {
  return { iso: date.toISOString(), text: format(timeZone, false).format(date) }
}

/** Does the runtime know this IANA zone? */
export function isTimeZone(text: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: text }))
  } catch {
    return false
  }
}

/** "42 s", "1 min 42 s", "2 h 5 min". */
export function durationInWords(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** Time as an admin reads it. Stored in UTC, shown in the reader's zone. */

export interface ShownTime {
  iso: string
  text: string
}

const day = { day: 'numeric', month: 'short' } as const
const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const year = { year: 'numeric' } as const
const formats = new Map<string, Intl.DateTimeFormat>()

function write(date: Date, timeZone: string, parts: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${Object.keys(parts)}`
  const known = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { timeZone, ...parts })
  formats.set(key, known)
  return known.format(date)
}

/** A year that is the present one says nothing. */
function show(date: Date, timeZone: string, parts: Intl.DateTimeFormatOptions): ShownTime {
  const isThisYear = write(date, timeZone, year) === write(new Date(), timeZone, year)
  return { iso: date.toISOString(), text: write(date, timeZone, isThisYear ? parts : { ...parts, ...year }) }
}

/** "24 Nov, 14:05"; with the year when it is another one. */
export function showTime(date: Date, timeZone: string): ShownTime {
  return show(date, timeZone, { ...day, ...time })
}

/** "24 Nov"; with the year when it is another one. */
export function showDay(date: Date, timeZone: string): ShownTime {
  return show(date, timeZone, day)
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

import { encode } from 'uqr'

/** A QR code as one path, a run of dark modules at a time, and its side in modules. */
export function qrPath(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { border: 4, ecc: 'M' })
  const path = data.flatMap((row, y) =>
    row.flatMap((dark, x) => {
      if (!dark || row[x - 1]) return []
      const end = row.indexOf(false, x)
      const run = (end < 0 ? row.length : end) - x
      return [`M${x} ${y}h${run}v1h-${run}z`]
    })
  )
  return { path: path.join(''), size }
}

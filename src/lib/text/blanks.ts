/** Whether the UTF-16 unit is white space, invisible, or the Ctrl-Z that ends a DOS file. */
export function isBlank(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0x1a
  return beyondAscii.has(unit)
}

const ranges: readonly [from: number, to: number][] = [
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x1680, 0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x2800, 0x2800],
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0]
]
const beyondAscii = new Set(
  ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index))
)

/** Trims in linear time. */
export function trimBlanks(text: string): string {
  let end = text.length
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end -= 1
  return trimStart(end === text.length ? text : text.slice(0, end))
}

export function trimStart(text: string): string {
  let start = 0
  while (start < text.length && isBlank(text.charCodeAt(start))) start += 1
  return start === 0 ? text : text.slice(start)
}

/** SVG as text. The page's policy allows no inline style, so geometry is in attributes. */
import { first, last } from '../lib/ends.ts'

const count = new Intl.NumberFormat('en')
const round = (value: number) => +value.toFixed(2)
const escaped = (text: string) => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

export interface BarPart {
  value: number
  className: string
}

/** One horizontal bar made of parts of `total`, `gap` percent apart. Decorative: the numbers are next to it. */
export function bar(parts: BarPart[], total: number, className = 'bar', gap = 0): string {
  const shown = parts.filter(part => part.value > 0)
  const whole = Math.max(total, 1)
  let x = 0
  const rects = shown.map((part, index) => {
    const share = (part.value / whole) * 100
    const width = Math.max(share - (index < shown.length - 1 ? gap : 0), 0.4)
    const rect = `<rect class="${part.className}" x="${round(x)}%" width="${round(width)}%" height="100%"/>`
    x += share
    return rect
  })
  return `<svg class="${className}" aria-hidden="true">${rects.join('')}</svg>`
}

interface Described {
  id: string
  title: string
  /** The finding in words, for readers who cannot see the picture. */
  desc: string
}

export interface Series extends Described {
  names: string[]
  points: Point[]
}

interface Point {
  label: string
  values: number[]
}

function valueAt({ label, values }: Point, nth: number): number {
  const value = values[nth]
  if (value === undefined) throw new Error(`The chart has no value ${nth + 1} for ${label}`)
  return value
}

export function timeSeries(series: Series): string {
  const steps = axisSteps(Math.max(0, ...series.points.flatMap(point => point.values)))
  const scale = scaleOf(series.points.length, last(steps))
  const lines = `<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">${linesOf(series, scale)}</svg>`
  const layers = [gridOf(steps, scale), labelsOf(series, scale), lines, namesOf(series, scale), hoversOf(series, scale)]
  return picture('plot', series, layers.join(''))
}

export interface Funnel extends Described {
  steps: { name: string; value: number }[]
}

/** One column per step; the slope between two shows the loss. */
export function funnel(chart: Funnel): string {
  const { steps } = chart
  const top = Math.max(1, ...steps.map(step => step.value))
  const column = 100 / steps.length
  const pad = column * 0.085
  const width = column * 0.46
  const y = (value: number) => round(100 - (value / top) * 96)
  const flows = steps.flatMap((step, index) => {
    const next = steps[index + 1]
    if (!next) return []
    const [left, right] = [index, index + 1].map(at => round((at * column + pad + width / 2) * 10))
    const [inner, outer] = [round((index * column + pad + width) * 10), round(((index + 1) * column + pad) * 10)]
    return `<path class="flow f${index + 1}" d="M${left} ${y(step.value)}H${inner}L${outer} ${y(next.value)}H${right}V100H${left}Z"/>`
  })
  const bars = steps.map(({ value }, index) => {
    const place = `x="${round(index * column + pad)}%" y="${y(value)}%" width="${round(width)}%"`
    return value > 0 ? `<rect class="f${index + 1}" ${place} height="110%" rx="5"/>` : ''
  })
  const flow = `<svg viewBox="0 0 1000 100" preserveAspectRatio="none" width="100%" height="100%">${flows.join('')}</svg>`
  return picture('funnel-plot', chart, flow + bars.join(''))
}

function picture(className: string, { id, title, desc }: Described, content: string): string {
  const words = `<title id="${id}-t">${escaped(title)}</title><desc id="${id}-d">${escaped(desc)}</desc>`
  return `<svg class="${className}" role="img" aria-labelledby="${id}-t ${id}-d">${words}${content}</svg>`
}

interface Scale {
  x: (index: number) => number
  y: (value: number) => number
}

function scaleOf(points: number, top: number): Scale {
  return { x: index => (points < 2 ? 0 : (index / (points - 1)) * 100), y: value => 100 - (value / top) * 100 }
}

/** From 0 to at least `max` and 1, in about four whole steps of 1, 2, 2.5 or 5 times a power of ten. */
export function axisSteps(max: number): number[] {
  const rough = Math.max(max, 1) / 4
  const power = 10 ** Math.max(0, Math.floor(Math.log10(rough)))
  const fine = [1, 2, 2.5, 5].map(times => times * power)
  const step = fine.find(each => each >= rough && Number.isInteger(each)) ?? 10 * power
  return Array.from({ length: Math.max(1, Math.ceil(max / step)) + 1 }, (_, index) => index * step)
}

function gridOf(steps: number[], { y }: Scale): string {
  const lines = steps.map(step => {
    const at = `${round(y(step))}%`
    const shown = step >= 1000 ? `${count.format(step / 1000)}k` : step
    const line = `<line class="${step ? 'grid' : 'axis'}" x1="0" x2="100%" y1="${at}" y2="${at}"/>`
    return `${line}<text x="-10" y="${at}" dy=".35em" text-anchor="end">${shown}</text>`
  })
  return lines.join('')
}

function labelsOf({ points }: Series, { x }: Scale): string {
  const every = points.length > 8 ? 2 : 1
  const labels = points.map(({ label }, index) => {
    if (index % every) return ''
    const anchor = index === 0 ? 'start' : index === points.length - 1 ? 'end' : 'middle'
    const weight = (index / every) % 2 ? 'minor' : 'major'
    return `<text class="${weight}" x="${round(x(index))}%" y="100%" dy="1.6em" text-anchor="${anchor}">${escaped(label)}</text>`
  })
  return labels.join('')
}

function linesOf({ names, points }: Series, { x, y }: Scale): string {
  if (points.length === 0) return ''
  // a single value becomes a level line, to be visible
  const ends = points.length === 1 ? [first(points), first(points)] : points
  const place = (index: number) => (points.length === 1 ? index * 1000 : x(index) * 10)
  const lines = names.map((_, nth) => {
    const line = ends
      .map((point, i) => `${i ? 'L' : 'M'}${round(place(i))} ${round(y(valueAt(point, nth)) * 10)}`)
      .join('')
    return `<path class="area s${nth + 1}" d="${line}L1000 1000L0 1000Z"/><path class="line s${nth + 1}" d="${line}"/>`
  })
  return lines.join('')
}

function namesOf({ names, points }: Series, { y }: Scale): string {
  const last = points.at(-1)
  if (!last) return ''
  const heights = last.values.map(y)
  const labels = names.map((name, nth) => {
    const value = valueAt(last, nth)
    // lines that end close together: the earlier name moves up a line for each later one
    const below = heights.slice(nth + 1).filter(height => Math.abs(height - y(value)) < 12).length
    const place = `x="100%" y="${round(y(value))}%" dy="${round(-0.75 - below * 1.25)}em" text-anchor="end"`
    return `<text class="name s${nth + 1}" ${place}>${escaped(name)} ${count.format(value)}</text>`
  })
  return labels.join('')
}

function hoversOf({ names, points }: Series, { x, y }: Scale): string {
  const half = points.length < 2 ? 100 : 50 / (points.length - 1)
  const hovers = points.map((point, index) => {
    const at = x(index)
    const from = round(Math.max(0, at - half))
    const area = `<rect class="hit" x="${from}%" width="${round(Math.min(100, at + half) - from)}%" height="100%"/>`
    const guide = `<line class="guide" x1="${round(at)}%" x2="${round(at)}%" y1="0" y2="100%"/>`
    const pins = point.values.map(
      (value, nth) => `<circle class="pin s${nth + 1}" cx="${round(at)}%" cy="${round(y(value))}%" r="4"/>`
    )
    const words = [point.label, ...names.map((name, nth) => `${name} ${count.format(valueAt(point, nth))}`)]
    return `<g class="pt">${area}${guide}${pins.join('')}${tipOf(words, at)}</g>`
  })
  return hovers.join('')
}

/** To the right of the first points and to the left of the last ones, so that it stays inside. */
function tipOf(words: string[], at: number): string {
  const shift = at < 25 ? -8 : at > 75 ? -136 : -72
  const place = `x="${round(at)}%"`
  const box = `<rect class="tip-box" ${place} y="0" width="144" height="${words.length * 17 + 10}" rx="6" transform="translate(${shift} 0)"/>`
  const lines = words.map(
    (word, nth) =>
      `<text class="tip" ${place} y="${18 + nth * 17}" transform="translate(${shift + 10} 0)">${escaped(word)}</text>`
  )
  return box + lines.join('')
}

import { test } from 'tap'
import { axisSteps, bar, funnel, timeSeries } from '../../src/web/charts.ts'

const isWhole = (svg: string) => !/NaN|Infinity|undefined|style=/.test(svg)
const seriesOf = (values: number[][]) =>
  timeSeries({
    id: 'time',
    title: 'Over time',
    desc: 'So many.',
    names: ['Invited', 'Signed up'],
    points: values.map((pair, index) => ({ label: `${index} Nov`, values: pair }))
  })

test('a line chart can have no, one, two or many weeks, even if all are zero', async t => {
  const cases = [
    [],
    [[0, 0]],
    [[7, 3]],
    [
      [0, 0],
      [0, 0]
    ],
    [
      [0, 0],
      [5, 1]
    ],
    Array.from({ length: 12 }, (_, i) => [i * 400, i * 90])
  ]
  for (const values of cases) t.ok(isWhole(seriesOf(values)), JSON.stringify(values))
  t.match(seriesOf([[7, 3]]), /class="line s1" d="M0 125L1000 125"/, 'one week is a level line')
  t.match(
    seriesOf([
      [0, 0],
      [5, 1]
    ]),
    />0 Nov<.*>1 Nov</s,
    'of few weeks each is named'
  )
})

test('the labels of lines that end at the same height do not overlap', async t => {
  const heights = [
    ...seriesOf([
      [0, 0],
      [0, 0]
    ]).matchAll(/class="name s\d" x="100%" y="100%" dy="([-.\d]+)em"/g)
  ]
  t.same(
    heights.map(([, dy]) => dy),
    ['-2', '-0.75']
  )
})

test('the axis counts whole people and reaches the highest value', async t => {
  t.same(axisSteps(0), [0, 1])
  t.same(axisSteps(1), [0, 1])
  t.same(axisSteps(9), [0, 5, 10])
  t.same(axisSteps(100), [0, 25, 50, 75, 100])
  for (const max of [3, 17, 999, 1001, 104_000]) {
    t.ok(axisSteps(max).at(-1)! >= max)
    t.ok(axisSteps(max).every(Number.isInteger))
  }
})

test('a funnel without people can be drawn, and columns are as high as their values', async t => {
  const funnelOf = (values: number[]) =>
    funnel({ id: 'f', title: 'Funnel', desc: 'So many.', steps: values.map(value => ({ name: 'Step', value })) })
  t.ok(isWhole(funnelOf([0, 0, 0, 0])))
  t.notMatch(funnelOf([0, 0, 0, 0]), /<rect/, 'zero people make no column')
  t.match(funnelOf([200, 100, 50, 0]), /class="f1"[^>]* y="4%".*class="f2"[^>]* y="52%".*class="f3"[^>]* y="76%"/)
})

test('a bar shows its parts, even the smallest, and works with a total of zero', async t => {
  t.equal(bar([], 0), '<svg class="bar" aria-hidden="true"></svg>')
  t.ok(isWhole(bar([{ value: 0, className: 'a' }], 0)))
  const parts = [
    { value: 9999, className: 'good' },
    { value: 0, className: 'mute' },
    { value: 1, className: 'bad' }
  ]
  t.match(
    bar(parts, 10_000, 'bar tall', 0.3),
    /class="good" x="0%" width="99.69%".*class="bad" x="99.99%" width="0.4%"/
  )
})

test('S16: words in a chart are escaped', async t => {
  const svg = timeSeries({ id: 'x', title: '<b>', desc: '"&', names: ["'"], points: [{ label: '<i>', values: [1] }] })
  t.notMatch(svg, /<b>|<i>|"&"/)
})

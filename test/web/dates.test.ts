import t from 'tap'
import { showTime, startOfDay, timeZoneNamed } from '../../src/web/dates.ts'

const at = (day: string, zone: string, later = 0) => startOfDay(day, zone, later).toISOString()

t.test('a day begins according to the time zone’s clocks', async t => {
  t.equal(at('2026-03-10', 'UTC'), '2026-03-10T00:00:00.000Z')
  t.equal(at('2026-03-10', 'UTC', 1), '2026-03-11T00:00:00.000Z')
  t.equal(at('2026-03-10', 'Pacific/Auckland'), '2026-03-09T11:00:00.000Z')
  t.equal(at('2026-07-10', 'Pacific/Auckland'), '2026-07-09T12:00:00.000Z')
  t.equal(at('2026-07-10', 'Asia/Kolkata'), '2026-07-09T18:30:00.000Z')
  t.equal(at('2026-07-10', 'Asia/Kathmandu'), '2026-07-09T18:15:00.000Z')
  t.equal(at('2026-07-10', 'Pacific/Kiritimati'), '2026-07-09T10:00:00.000Z')
  t.equal(at('2026-07-10', 'Etc/GMT+12'), '2026-07-10T12:00:00.000Z')
  t.equal(at('2026-07-10', 'Etc/GMT-14'), '2026-07-09T10:00:00.000Z')
})

t.test('even if the clocks change on that day, or skip its midnight', async t => {
  t.equal(at('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z')
  t.equal(at('2026-03-29', 'Europe/Berlin', 1), '2026-03-29T22:00:00.000Z', 'a day of 23 hours')
  t.equal(at('2026-10-25', 'Europe/Berlin', 1), '2026-10-25T23:00:00.000Z', 'a day of 25 hours')
  t.equal(at('2018-11-04', 'America/Sao_Paulo'), '2018-11-04T03:00:00.000Z', 'the day begins at one')
  t.equal(at('2011-12-30', 'Pacific/Apia'), at('2011-12-31', 'Pacific/Apia'), 'a day that there never was')
})

t.test('F16: a time zone is an IANA name, in any case; an offset is not', async t => {
  t.equal(timeZoneNamed('europe/berlin'), 'Europe/Berlin')
  t.equal(timeZoneNamed(' Asia/Tokyo '), 'Asia/Tokyo')
  for (const name of ['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT+5', 'US/Eastern', 'Asia/Calcutta', 'Asia/Kolkata', 'EST5EDT'])
    t.ok(timeZoneNamed(name), name)
  for (const name of [
    '+0530',
    '+05:30',
    '-08',
    '+05:00',
    '',
    ' ',
    'Mars/Olympus',
    'x',
    '../etc/passwd',
    'UTC+2',
    'Z',
    '5',
    'a'.repeat(9999)
  ])
    t.equal(timeZoneNamed(name), undefined, name.slice(0, 20))
  for (const name of Intl.supportedValuesOf('timeZone')) t.ok(timeZoneNamed(name), name)
})

t.test('a time zone unknown to this Node counts as UTC', async t => {
  t.match(showTime(new Date('2026-03-10T12:00:00Z'), 'Mars/Olympus').text, '12:00')
  t.equal(at('2026-03-10', 'Mars/Olympus'), '2026-03-10T00:00:00.000Z')
})

import t from 'tap'
import { judgeLine, organizationDomains } from '../../../src/batches/recipient.ts'
import { csvLine } from '../../../src/lib/text/csv.ts'

t.test('F19: no cell begins a formula, wherever a spreadsheet splits it', async t => {
  const safe: [string, string][] = [
    ['=1+2', "'=1+2"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(1)', "'@SUM(1)"],
    ['＝1+2', "'＝1+2"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠SUM(1)', "'＠SUM(1)"],
    [' =1', " '=1"],
    ['\t=1', `"'\t'=1"`],
    ['Eve;=1+2;@SUM(1)', `"Eve;'=1+2;'@SUM(1)"`],
    ['Eve; =1', `"Eve; '=1"`],
    ['Eve\t=1', `"Eve\t'=1"`],
    ['Eve|=1', `"Eve|'=1"`],
    ['Eve,-1', `"Eve,'-1"`],
    ['Eve\n＝1', `"Eve\n'＝1"`],
    ['Eve";=1', `"Eve"";'=1"`],
    ['Eve;"=1', `"Eve;""'=1"`]
  ]
  for (const [cell, expected] of safe) t.equal(csvLine([cell]), `${expected}\r\n`, JSON.stringify(cell))
  for (const cell of ['Eve', 'a-b@c', '1+2=3', "o'brien", 'Eve - Doe']) t.equal(csvLine([cell]), `${cell}\r\n`)
  for (const cell of ['Doe; Jane', 'a|b', 'a\tb']) t.equal(csvLine([cell]), `"${cell}"\r\n`)
  t.equal(csvLine(['a', null, 1, undefined]), 'a,,1,\r\n')
})

t.test('E20: an address in a report is read back as that address', async t => {
  const organization = organizationDomains(['larkfield.example'])
  for (const local of ['+tag', '-dash', '=eq', 'plain', "o'brien", 'a|b']) {
    const address = `${local}@larkfield.example`
    const alone = judgeLine(csvLine([address]).trim(), organization)
    t.equal(alone.address ?? alone.suggestion, address)
    const row = csvLine([7, address, address, 'invite', '', '', '', 'sent', '250 ok; queued', '2026-11-27T01:00:00Z'])
    t.match(judgeLine(row.trim(), organization), { verdict: 'malformed', suggestion: address }, row)
    const wrong = csvLine([3, `Kim <${address}>`, null, 'malformed', 'There is a name, beside it', address, null])
    t.match(judgeLine(wrong.trim(), organization), { verdict: 'malformed', suggestion: address }, wrong)
    const person = csvLine(['=Doe, Jane', address, 'member', 'invited', 'sent', '2026-11-27T01:00:00Z', null])
    t.match(judgeLine(person.trim(), organization), { verdict: 'malformed', suggestion: address }, person)
  }
})

t.test('E20: a report line that named several addresses is read back as the suggested one', async t => {
  const organization = organizationDomains(['larkfield.example'])
  const reason = 'larkfeild.example is not one of your domains. Did you mean larkfield.example?'
  const foreign = [9, 'Lou@larkfeild.example', 'lou@larkfeild.example', 'foreign', reason, 'lou@larkfield.example', '']
  const failed = [
    4,
    'Ki，m <kim@larkfield.example>',
    'kim@larkfield.example',
    'invite',
    '',
    '',
    '',
    'failed',
    '550 <x@y.example>'
  ]
  const unknown = [5, 'ann@elsewhere.example', 'ann@elsewhere.example', 'foreign', 'Not yours', '', '', '', '']
  const mended = [6, 'somebody', '', 'malformed', 'Corrected to kim@larkfield.example in batch 3', '', '', '', '']
  for (const separator of [',', ';', '\t']) {
    const read = (cells: (string | number)[]) =>
      judgeLine(cells.map(each => csvLine([each]).trim()).join(separator), organization)
    t.match(read(foreign), { verdict: 'malformed', reason: 'table', suggestion: 'lou@larkfield.example' })
    t.match(read(failed), { verdict: 'malformed', reason: 'table', suggestion: 'kim@larkfield.example' })
    t.match(read(unknown), { verdict: 'malformed', reason: 'table', suggestion: null })
    t.match(read(mended), { verdict: 'malformed', reason: 'table', suggestion: null })
  }
  const list = '1,ada@larkfield.example,bob@larkfield.example,note'
  t.match(judgeLine(list, organization), { reason: 'several', suggestion: null })
})

import t from 'tap'
import { judgeLine, organizationDomains, reasonInWords, verdictWords } from '../../src/batches/recipient.ts'
import { verdicts } from '../../src/db/schema.ts'

const organization = organizationDomains(['larkfield.example', 'lark.example', 'xn--bcher-kva.example', 'intranet'])
const judge = (text: string) => judgeLine(text, organization)
const say = (text: string) => reasonInWords(judge(text))

t.test('an address of the organization has no verdict yet', async t => {
  for (const domain of ['larkfield.example', 'LARKFIELD.example', 'bücher.example', 'intranet']) {
    t.match(judge(`Ada@${domain}`), { verdict: null, reason: null, suggestion: null })
  }
  t.match(judge('Ada@Bücher.example'), { address: 'Ada@xn--bcher-kva.example', key: 'ada@xn--bcher-kva.example' })
  t.equal(say('ada@larkfield.example'), '')
})

t.test('an address of another domain is foreign, even of a subdomain', async t => {
  for (const domain of [
    'gmail.example',
    'hr.larkfield.example',
    'notlarkfield.example',
    'localhost',
    'larkfield.example.evil.test'
  ]) {
    t.match(judge(`ada@${domain}`), { verdict: 'foreign', address: `ada@${domain}`, suggestion: null })
    t.equal(say(`ada@${domain}`), `${domain} is not one of your domains`)
  }
})

t.test('it suggests a similar domain', async t => {
  for (const domain of [
    'larkfeild.example',
    'larkfield.exampel',
    'larkfild.example',
    'larkfields.example',
    'larkfieldexample'
  ]) {
    t.match(judge(`Ada@${domain}`), { verdict: 'foreign', suggestion: 'Ada@larkfield.example' })
    t.equal(say(`ada@${domain}`), `${domain} is not one of your domains. Did you mean larkfield.example?`)
  }
  t.match(judge('ada@lak.example'), { suggestion: 'ada@lark.example' })
  t.match(judge('ada@intranett'), { suggestion: 'ada@intranet', reason: 'near-domain' })
})

t.test('it suggests a missing ending', async t => {
  t.match(judge('ada@larkfield'), { verdict: 'foreign', reason: 'no-ending', suggestion: 'ada@larkfield.example' })
  t.equal(say('ada@larkfield'), 'The domain is incomplete. Did you mean larkfield.example?')
})

t.test('text that is not an address is malformed, with the reason', async t => {
  const reasons = {
    'priya.nair larkfield.example': 'There is no @ sign',
    'ada..b@larkfield.example': 'Two dots in a row',
    '“Ada” <ada@larkfield.example': 'The closing bracket is missing',
    'ada@larkfield.example, ben@larkfield.example': 'There is more than one address',
    'Ada;ada@larkfield.example;Berlin': 'The line has more than an address, like a row of a spreadsheet'
  }
  for (const [text, reason] of Object.entries(reasons)) {
    t.match(judge(text), { verdict: 'malformed', address: null, key: null })
    t.equal(say(text), reason)
  }
})

t.test('it suggests a correction only for an address of the organization', async t => {
  t.equal(judge('Ada <ada@larkfield.example>').suggestion, 'ada@larkfield.example')
  t.equal(judge('Ada <ada@larkfeild.example>').suggestion, 'ada@larkfield.example')
  t.equal(judge('ada@larkfield,example').suggestion, 'ada@larkfield.example')
  t.equal(judge('Ada <ada@gmail.example>').suggestion, null)
})

t.test('a cut line never counts as an address', async t => {
  t.match(judgeLine('ada@larkfield.example', organization, true), { verdict: 'malformed', reason: 'too-long' })
})

t.test('it still finds a similar domain after thousands of foreign ones', async t => {
  for (let number = 0; number < 25_000; number += 1) judge(`ada@host${number}.example`)
  t.equal(judge('ada@larkfeild.example').suggestion, 'ada@larkfield.example')
})

t.test('every verdict has a name and a meaning', async t => {
  for (const verdict of verdicts) t.match(verdictWords[verdict], { name: /^[A-Z]/, meaning: /^[a-z]/ })
})

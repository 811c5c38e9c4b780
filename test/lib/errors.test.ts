import t from 'tap'
import { asError, codeOf, messageOf } from '../../src/lib/errors.ts'

t.test('any thrown value has a message, and a code if that is a string', async t => {
  const error = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  t.equal(asError(error), error)
  t.equal(messageOf(error), 'no such file')
  t.equal(codeOf(error), 'ENOENT')
  t.equal(messageOf('a text'), 'a text')
  t.equal(messageOf(undefined), 'undefined')
  for (const thrown of [
    new Error('plain'),
    Object.assign(new Error('number'), { code: 20 }),
    'ENOENT',
    null,
    undefined
  ])
    t.equal(codeOf(thrown), undefined)
})

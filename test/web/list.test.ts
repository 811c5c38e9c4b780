import t from 'tap'
import { idOf } from '../../src/lib/id.ts'
import { searchTerm } from '../../src/lib/search-text.ts'
import { hrefOf, linksOf, pageOf, pageSize, rowsToRead, textOf } from '../../src/web/list.ts'

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }))
const page = (count: number) => pageOf(rows(count), row => row.id)

t.test('a page shows fifty rows, and one more row means that there is a next page', async t => {
  t.equal(rowsToRead, pageSize + 1)
  t.same(page(0), { rows: [], hasMore: false, next: null })
  t.match(page(pageSize), { rows: { length: pageSize }, hasMore: false, next: null })
  t.match(page(rowsToRead), { rows: { length: pageSize }, hasMore: true, next: pageSize })
  t.equal(page(rowsToRead).rows.at(-1)?.id, pageSize, 'the next page begins after the last row shown')
})

t.test('an address has only the given parameters', async t => {
  t.equal(hrefOf('/people', {}), '/people')
  t.equal(hrefOf('/people', { q: '', after: null, status: undefined }), '/people')
  t.equal(hrefOf('/people', { q: 'jo & co', after: 12 }), '/people?q=jo+%26+co&after=12')
  t.equal(hrefOf('/people', { q: 'jo', after: '12' }, { after: '' }), '/people?q=jo', 'a change may take something out')
  t.equal(hrefOf('/people', { q: 'jo' }, { q: 'ann', sort: 'name' }), '/people?q=ann&sort=name')
  t.equal(hrefOf('/people', { line: 0 }), '/people?line=0', 'zero is said')
})

t.test('a list links to its first page and to its next page, if there is one', async t => {
  const href = (after: number | null) => hrefOf('/teams', { after })
  t.same(linksOf(page(3), false, href), { first: null, next: null })
  t.same(linksOf(page(3), true, href), { first: '/teams', next: null })
  t.same(linksOf(page(rowsToRead), false, href), { first: null, next: '/teams?after=50' })
  t.same(linksOf(page(rowsToRead), true, href), { first: '/teams', next: '/teams?after=50' })
})

t.test('an id is positive and fits in a number', async t => {
  t.same(['1', '42', '999999999999999'].map(idOf), [1, 42, 999_999_999_999_999])
  const others = [undefined, '', '0', '-1', '007', '1.5', '1e3', ' 1', '1\n', '١', '1000000000000000']
  for (const text of others) t.equal(idOf(text), undefined, `${text}`)
})

t.test('a parameter is text that appears once', async t => {
  t.equal(textOf({ after: '12' }, 'after'), '12')
  for (const query of [{}, { after: ['1', '2'] }, undefined, null, 'after']) t.equal(textOf(query, 'after'), undefined)
})

t.test('one character does not search', async t => {
  t.same(['jo', ' jo ', 'j', ' j ', '', undefined].map(searchTerm), [
    'jo',
    'jo',
    undefined,
    undefined,
    undefined,
    undefined
  ])
  t.equal(searchTerm('😀'), undefined, 'one that takes two units of UTF-16')
})

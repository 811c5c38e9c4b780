/* [data-append="address of the rest of the list"] in its own row: with JavaScript the next rows are added below those shown,
   the first of them gets the focus, and their number is announced. Without JavaScript the form or link opens the next page. */
;(() => {
  const counted = number => `${number} more ${number === 1 ? 'person' : 'people'} shown.`

  async function append(button) {
    const form = button.closest('[data-list]')
    await settled(form)
    const body = button.closest('tbody')
    const url = new URL(button.dataset.append, location.href)
    const selection = form.querySelector('[name="selection"]')?.value
    if (selection) url.searchParams.set('selection', selection)
    const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Current-URL': location.href }
    const answer = await fetch(url, { headers })
    const page = answer.headers.get('HX-Redirect')
    if (page) return location.assign(page)
    const key = CSS.escape(body.dataset.section)
    const part = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = part.querySelector(`tbody[data-section="${key}"]`)
    if (!answer.ok || !next) throw new Error('no rows came')
    const rows = [...next.rows].filter(row => !row.matches('.group'))
    for (const start of next.querySelectorAll('[data-start]')) start.remove()
    insert(
      form,
      body,
      button.closest('tr'),
      rows.filter(row => row.dataset.person || row.querySelector('[data-append]'))
    )
    count(body)
    const people = rows.filter(row => row.dataset.person)
    people[0]?.querySelector('.pick, .row-link')?.focus()
    document.querySelector('#appended').textContent = counted(people.length)
  }

  /* A selection that the server has not answered yet decides which of the next rows are selected. */
  async function settled(form) {
    for (let turn = 0; turn < 40 && form.hasAttribute('data-busy'); turn += 1)
      await new Promise(resolve => setTimeout(resolve, 50))
  }

  /* People selected beyond the page have a separate count: rows that arrive selected move from it to the page's. */
  function insert(form, body, last, rows) {
    const output = form.querySelector('output[data-total]')
    const total = output ? output.base + window.rollcall.list.totalOf(form) : 0
    last.remove()
    body.append(...rows)
    if (output) output.base = total - window.rollcall.list.totalOf(form)
    window.rollcall.list.count(form)
  }

  /* The server counts the remaining rows only from the first row on. */
  function count(body) {
    const button = body.querySelector('[data-append]')
    if (!button || body.querySelector('[data-start]')) return
    const rest = Number(body.dataset.people) - body.querySelectorAll('[data-person]').length
    button.textContent = `Show ${Math.min(50, rest)} more of ${rest.toLocaleString('en')}`
  }

  document.addEventListener('click', event => {
    const button = event.target.closest?.('[data-append]')
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    if (button.getAttribute('aria-busy')) return
    button.setAttribute('aria-busy', 'true')
    append(button).catch(() => {
      // then the page of the next rows
      button.removeAttribute('data-append')
      button.click()
    })
  })
})()

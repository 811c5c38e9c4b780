/* Selecting: ranges, groups that match their rows, and the count of selected people. */
;(() => {
  const format = new Intl.NumberFormat(document.documentElement.lang || 'en')
  let anchor = null

  const visible = (list, selector) => [...list.querySelectorAll(selector)].filter(element => element.checkVisibility())
  const picks = list => visible(list, '.pick:not(:disabled)')
  /* The elements that the focus moves between: checkboxes, or in a list without any the links. */
  const stops = list => {
    const boxes = picks(list)
    return boxes.length > 0 ? boxes : visible(list, '.row-link')
  }
  const rowsOf = (list, key) => [...list.querySelectorAll(`.pick[data-in="${CSS.escape(key)}"]:not(:disabled)`)]
  const groupOf = (list, key) => list.querySelector(`.pick[data-group="${CSS.escape(key)}"]`)
  // reads the property: browsers do not match :checked on a box that is also indeterminate
  const ticked = (scope, selector) => [...scope.querySelectorAll(selector)].filter(box => box.checked && !box.disabled)

  /* Selects or deselects many boxes, then updates once: one count, one change event. */
  function tick(list, boxes, value = true) {
    for (const box of boxes) {
      box.indeterminate = false
      box.checked = value
      followGroup(list, box)
    }
    settle(list, boxes)
    boxes.at(-1)?.dispatchEvent(new CustomEvent('change', { bubbles: true, detail: 'settled' }))
  }

  function followGroup(list, box) {
    if (!box.dataset.group) return
    for (const row of rowsOf(list, box.dataset.group)) row.checked = box.checked
  }

  function between(list, from, to) {
    const all = picks(list)
    const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((one, other) => one - other)
    return all.slice(Math.max(first, 0), last + 1).filter(box => !box.dataset.group)
  }

  /* A group box means "everyone in this group", even on other pages. Rows that are deselected afterwards become
     exceptions and leave the group box mixed. */
  function settle(list, boxes) {
    for (const key of new Set(boxes.map(box => box.dataset.in).filter(Boolean))) {
      const group = groupOf(list, key)
      if (!group) continue
      const rows = rowsOf(list, key)
      const some = rows.filter(row => row.checked).length
      group.indeterminate = group.checked ? some < rows.length : some > 0
    }
    count(list)
  }

  function totalOf(list) {
    let total = 0
    for (const group of ticked(list, '.pick[data-group]')) {
      total += Number(group.dataset.size) - rowsOf(list, group.dataset.group).filter(row => !row.checked).length
    }
    for (const row of ticked(list, '.pick:not([data-group])')) {
      if (!(row.dataset.in && groupOf(list, row.dataset.in)?.checked)) total += 1
    }
    return total
  }

  /* If the server stores the selection, its count is the base: more is selected than the page shows. */
  function count(list) {
    for (const output of list.querySelectorAll('[data-count]:not([data-value])')) {
      output.base ??= Number(output.dataset.total ?? 0) - (output.dataset.total ? totalOf(list) : 0)
      const total = Math.max(0, output.base + totalOf(list))
      output.textContent = wordsOf(output, total)
      list.querySelector('.selbar')?.toggleAttribute('data-on', total > 0)
    }
  }

  /* The number, or the element's own words for none, one and many, if it has them. */
  function wordsOf({ dataset }, total) {
    const number = format.format(total)
    if (!dataset.many) return number
    return total === 0 ? dataset.none : total === 1 ? dataset.one : dataset.many.replace('#', number)
  }

  function clear(list) {
    for (const box of list.querySelectorAll('.pick:enabled')) {
      box.checked = false
      box.indeterminate = false
    }
    for (const output of list.querySelectorAll('output[data-total]')) output.base = 0
    count(list)
    list.dispatchEvent(new CustomEvent('rollcall:clear', { bubbles: true }))
  }

  document.addEventListener('click', event => {
    const clearing = event.target.closest?.('[data-clear]')
    if (clearing) {
      event.preventDefault()
      const list = clearing.closest('[data-list]')
      clear(list)
      // the bar and its button are hidden, so the focus returns to the last used row
      const row = anchor?.isConnected && list.contains(anchor) ? anchor : stops(list)[0]
      if (!clearing.checkVisibility()) row?.focus()
    }
    const box = event.target.closest?.('.pick')
    const list = box?.closest('[data-list]')
    if (!list) return
    if (event.shiftKey && anchor?.isConnected && list.contains(anchor))
      tick(list, between(list, anchor, box), box.checked)
    anchor = box
  })

  /* The first listener: a section is posted according to its rows at that moment. */
  document.addEventListener(
    'change',
    event => {
      const list = event.target.closest('[data-list]')
      if (event.detail === 'settled' || !list || !event.target.matches('.pick')) return
      followGroup(list, event.target)
      settle(list, [event.target])
    },
    true
  )

  /* A corrected line is selected for sending. */
  document.addEventListener('input', event => {
    const list = event.target.closest('[data-correct]')
    const box = list && !event.target.matches('.pick') && event.target.closest('tr')?.querySelector('.pick')
    if (box && !box.checked) tick(list, [box])
  })

  /* At the start, and when a part of the page is replaced. */
  function begin() {
    for (const list of document.querySelectorAll('[data-list]')) {
      for (const box of list.querySelectorAll('.pick[data-partial]:not(:checked)')) box.indeterminate = true
      count(list)
    }
  }
  begin()
  document.addEventListener('htmx:after:swap', begin)

  window.rollcall.list = {
    picks,
    stops,
    groupOf,
    totalOf,
    count,
    tick,
    clear,
    /** Selects from the last used row to this one. */
    tickTo: (list, box) => tick(list, between(list, anchor ?? box, box)),
    /** Where the next range starts; `keep` leaves it where it is. */
    anchorAt: (box, keep = false) => {
      anchor = keep ? (anchor ?? box) : box
    }
  }
})()

/* Lists whose selection the server stores (data-remote: where it is posted). Every selection posts the changes since the
   last post, one request after another, and receives the bar. A form that is sent meanwhile contains the same changes, so
   none is lost in either order; without JavaScript the form alone posts them. */
;(() => {
  const { rollcall } = window
  const fields = ['member', 'section', 'except', 'ticked', 'ticked_section']
  let busy = null
  let isAgain = false

  const boxesOf = form => [...form.querySelectorAll('.pick:enabled')]
  /* The state of a box that the server knows: the initial one until another was posted. */
  const known = box => box.known ?? box.defaultChecked

  function changesOf(form) {
    const changes = []
    for (const box of boxesOf(form).filter(each => each.checked !== known(each))) {
      if (box.dataset.group) changes.push([box.checked ? 'section' : 'ticked_section', box.value, box])
      else changes.push([box.checked ? 'member' : 'except', box.value, box])
    }
    // a deselected row of a section that was just selected: the server only knows about the section
    const isNew = box => box.dataset.in && changes.some(([name, key]) => name === 'section' && key === box.dataset.in)
    for (const box of boxesOf(form).filter(each => !each.checked && !known(each) && isNew(each)))
      changes.push(['except', box.value, box])
    return changes
  }

  document.addEventListener('formdata', event => {
    if (!event.target.matches('form[data-remote]')) return
    for (const name of fields) event.formData.delete(name)
    for (const [name, value] of changesOf(event.target)) event.formData.append(name, value)
  })

  async function send(form) {
    if (busy) {
      isAgain = true
      return
    }
    const changes = changesOf(form)
    const states = changes.map(([, , box]) => [box, box.checked])
    const total = rollcall.list.totalOf(form)
    const body = new URLSearchParams(changes.map(([name, value]) => [name, value]))
    if (form.isCleared) body.append('clear', '1')
    form.isCleared = false
    if (![...body.keys()].length) return
    body.append('of', form.querySelector('[name="of"]').value)
    body.append('selection', form.querySelector('[name="selection"]').value)
    busy = new AbortController()
    form.toggleAttribute('data-busy', true)
    try {
      const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Target': 'section#selbar' }
      const answer = await fetch(form.dataset.remote, { method: 'POST', body, headers, signal: busy.signal })
      const page = answer.headers.get('HX-Redirect')
      if (page) location.assign(page)
      if (!answer.ok) return
      const bar = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#selbar')
      for (const [box, isChecked] of states) box.known = isChecked
      if (bar && form.isConnected) show(form, bar, total, answer.url)
    } catch {
      // no answer: the next selection, or the form itself, posts all of it
    } finally {
      busy = null
      form.removeAttribute('data-busy')
      if (isAgain) {
        isAgain = false
        send(form)
      }
    }
  }

  /* Only the figures change, so the focus stays on a button of the bar. The answer is about the selection when it
     was requested, which was `total` by the page's own count. */
  function show(form, bar, total, url) {
    const output = form.querySelector('output[data-total]')
    output.base = Number(bar.querySelector('output').dataset.total) - total
    form.querySelector('[name="selection"]').value = bar.querySelector('[name="selection"]').value
    rollcall.list.count(form)
    history.replaceState(history.state, '', url)
  }

  document.addEventListener('change', event => {
    const form = event.target.closest('form[data-remote]')
    if (form && event.target.matches('.pick')) send(form)
  })
  document.addEventListener('rollcall:clear', event => {
    if (!event.target.matches('form[data-remote]')) return
    for (const box of boxesOf(event.target)) box.known = false
    event.target.isCleared = true
    send(event.target)
  })
  document.addEventListener('htmx:before:request', event => {
    if (event.target.closest?.('form[data-remote]')) busy?.abort()
  })
})()

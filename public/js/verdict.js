/* input[data-check]: when the user leaves such a field, the server says whether it would accept the address. The answer never
   moves the focus or changes the input. Without JavaScript the form's own answer says it. */
;(() => {
  const { swap } = window.rollcall
  const isField = element => element?.matches?.('input[data-check]')
  const slotOf = field => document.getElementById(`${field.id}-e`)
  /* The last checked value of each field; initially the value on the page. */
  const asked = new WeakMap()
  const isAsked = field => (asked.has(field) ? asked.get(field) : field.defaultValue) === field.value

  function settle(field, isWrong) {
    if (isWrong) field.setAttribute('aria-invalid', 'true')
    else field.removeAttribute('aria-invalid')
    field.setAttribute('aria-describedby', isWrong ? slotOf(field).id : 'allowed')
  }

  /* The address is not at fault. */
  function tellUnchecked(field) {
    const hint = document.createElement('span')
    hint.className = 'hint'
    hint.textContent = 'This could not be checked now. It is checked when you send.'
    slotOf(field)?.replaceChildren(hint)
    settle(field, false)
    asked.set(field, null)
  }

  document.addEventListener('input', ({ target: field }) => {
    if (!isField(field)) return
    asked.set(field, null)
    field.dispatchEvent(new Event('htmx:abort'))
  })

  document.addEventListener('htmx:config:request', event => {
    const { ctx } = event.detail
    const field = ctx.sourceElement
    if (!isField(field)) return
    const isBlank = field.value.trim() === ''
    if (isAsked(field) || isBlank) event.preventDefault()
    asked.set(field, field.value)
    if (isBlank) {
      slotOf(field).replaceChildren()
      settle(field, false)
    }
    ctx.request.body = new FormData()
    ctx.request.body.set('email', field.value)
  })

  /* The form itself checks all of them. */
  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (!ctx.sourceElement.matches('form')) return
    for (const field of ctx.sourceElement.querySelectorAll('input[data-check]')) {
      field.dispatchEvent(new Event('htmx:abort'))
      asked.set(field, field.value)
    }
  })

  document.addEventListener('htmx:after:request', event => {
    const { ctx } = event.detail
    const field = ctx.sourceElement
    if (!isField(field)) return
    const { status } = ctx.response
    if (status < 400) return swap.signedIn(field.form)
    event.preventDefault()
    tellUnchecked(field)
    if (status === 401 || status === 403)
      swap.tell(field.form, { ...swap.refusalIn(swap.parse(ctx.text), status), mayFocus: false })
  })

  document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
    if (isField(ctx?.sourceElement)) tellUnchecked(ctx.sourceElement)
  })

  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    const field = ctx.sourceElement
    if (!isField(field)) return
    const said = slotOf(field).textContent.trim()
    settle(field, said !== '')
    if (said) swap.say(`${field.labels[0].textContent}: ${said}`)
  })
})()

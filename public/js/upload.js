/* form[data-upload]: an upload shows its progress, which fetch cannot report, and can be canceled until all bytes are sent. */
;(() => {
  const { swap } = window.rollcall
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
  let underWay = null

  function sizeOf(bytes) {
    const unit = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
    const options = { style: 'unit', unit: units[unit], unitDisplay: unit === 0 ? 'long' : 'short' }
    return (bytes / 1000 ** unit).toLocaleString('en', { ...options, maximumFractionDigits: unit < 2 ? 0 : 1 })
  }

  /* Replaces fetch: follows redirects like it, and the same signal aborts it. */
  function post(form, action, { method, headers, body, signal }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method, action)
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
      request.upload.addEventListener('progress', event => show(form, event.loaded, event.total))
      request.upload.addEventListener('load', () => showSent(form))
      request.addEventListener('load', () => resolve(answerOf(request, action)))
      request.addEventListener('error', () => reject(new TypeError('the connection was lost')))
      request.addEventListener('abort', () => reject(new DOMException('canceled', 'AbortError')))
      signal.addEventListener('abort', () => request.abort())
      request.send(body)
    })
  }

  function answerOf(request, action) {
    const lines = request.getAllResponseHeaders().trim().split(/\r?\n/)
    const headers = lines.filter(Boolean).map(line => [line.split(':', 1)[0], line.slice(line.indexOf(':') + 1).trim()])
    const answer = new Response(request.responseText, { status: request.status, headers })
    const isElsewhere = new URL(action, location.href).href !== request.responseURL
    return Object.defineProperties(answer, { url: { value: request.responseURL }, redirected: { value: isElsewhere } })
  }

  const partOf = (form, selector) => form.querySelector(`#upload ${selector}`)

  function begin(form) {
    underWay = { form, quarter: 0, isSent: false }
    partOf(form, 'progress').value = 0
    partOf(form, '#upload-text').textContent = 'Uploading …'
    partOf(form, '[data-cancel]').hidden = false
    form.querySelector('#upload').hidden = false
  }

  function show(form, loaded, total) {
    if (underWay?.form !== form || underWay.isSent || total === 0) return
    const progress = partOf(form, 'progress')
    progress.max = total
    progress.value = loaded
    partOf(form, '#upload-text').textContent = `${sizeOf(loaded)} of ${sizeOf(total)} sent`
    const quarter = Math.floor((4 * loaded) / total)
    if (quarter > underWay.quarter && quarter < 4) swap.say(`${quarter * 25} percent sent.`)
    underWay.quarter = quarter
  }

  /* From here on Rollcall has the whole file and processes it: canceling would only hide that. */
  function showSent(form) {
    if (underWay?.form !== form) return
    underWay.isSent = true
    const cancel = partOf(form, '[data-cancel]')
    if (document.activeElement === cancel) form.querySelector('#upload').focus()
    cancel.hidden = true
    partOf(form, 'progress').value = partOf(form, 'progress').max
    partOf(form, '#upload-text').textContent = 'Sent. Rollcall is saving the list …'
    swap.say('All of the file is sent. Rollcall is saving the list.')
  }

  /* An error of the previous file does not apply to a new one. */
  document.addEventListener('change', ({ target: field }) => {
    if (!field.matches('form[data-upload] input[type="file"]')) return
    field.removeAttribute('aria-invalid')
    field.form.querySelector(`#${field.id}-e`)?.remove()
  })

  document.addEventListener('htmx:config:request', event => {
    const { sourceElement: form } = event.detail.ctx
    if (!form.matches('form[data-upload]')) return
    const field = form.querySelector('input[type="file"]')
    const size = field.files[0]?.size ?? 0
    if (size <= Number(field.dataset.maxBytes)) return
    event.preventDefault()
    const text = `The file has ${sizeOf(size)}. Split it into files of up to 2 GB. Nothing was sent.`
    swap.tell(form, { heading: 'Too large', text })
  })

  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    const form = ctx.sourceElement
    if (!form.matches('form[data-upload]')) return
    ctx.fetch = (action, request) => post(form, action, request)
    begin(form)
  })

  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (underWay?.form !== ctx.sourceElement) return
    underWay.form.querySelector('#upload').hidden = true
    underWay = null
  })

  /* A refusal may be lost with its connection, so the page asks the server whether this user may upload. */
  async function tellLost(form, isSent) {
    try {
      const answer = await fetch(form.action, { headers: { 'HX-Request': 'true' } })
      if (!answer.ok) return swap.tell(form, swap.refusalIn(swap.parse(await answer.text()), answer.status))
    } catch {
      // no connection at all
    }
    const text = isSent
      ? 'Rollcall may have received all of the file. Look at Earlier batches before you try again.'
      : 'The file did not arrive whole, so nothing from it will be sent. Try again; if you changed the file, choose it again.'
    swap.tell(form, { heading: 'The upload was interrupted', text })
  }

  document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
    if (ctx?.sourceElement?.matches?.('form[data-upload]')) tellLost(ctx.sourceElement, underWay?.isSent)
  })

  document.addEventListener('click', event => {
    const form = event.target.closest?.('[data-cancel]')?.form
    if (!form) return
    form.dispatchEvent(new Event('htmx:abort'))
    const text = 'Nothing from it will be sent. The file is still selected.'
    swap.tell(form, { heading: 'Upload canceled', text, tone: 'info' })
  })

  addEventListener('beforeunload', event => {
    if (underWay) event.preventDefault()
  })
})()

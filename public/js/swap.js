/* form[data-in-place] is posted by htmx. On success the next page replaces the page's main part; a refusal of the
   input replaces the form. Any other answer, or none, is reported in its #trouble, and the input stays.
   Without JavaScript the form is posted as usual. */
;(() => {
  const isForm = element => element?.matches?.('form[data-in-place]')
  const sentence = text => text.trim().replace(/[^.!?]$/, '$&.')

  /* Announced by screen readers, wherever the focus is. */
  function say(text) {
    const live = document.getElementById('live')
    if (live) live.textContent = text
  }

  function tell(form, { heading, text, tone = 'bad', isSignedOut = false, mayFocus = true }) {
    const trouble = form.querySelector('#trouble')
    trouble.className = `callout ${tone}`
    trouble.hidden = false
    trouble.querySelector('strong').textContent = sentence(heading)
    trouble.querySelector('p').textContent = text
    trouble.querySelector('a').hidden = !isSignedOut
    const icon = trouble.querySelector('use')
    icon.setAttribute('href', icon.getAttribute('href').replace(/#.*/, tone === 'bad' ? '#alert' : '#x'))
    say('')
    if (mayFocus) trouble.focus()
  }

  /* An answer came, so the user is signed in again. */
  function signedIn(form) {
    const trouble = form.querySelector('#trouble')
    if (!trouble.querySelector('a').hidden) trouble.hidden = true
  }

  /* The message of a page that is not the form. A proxy's page has none. */
  function refusalIn(page, status) {
    if (status === 401) {
      return {
        heading: 'You are signed out',
        text: 'Nothing was sent. Open a new tab to sign in, then come back and try again. What you entered stays here.',
        isSignedOut: true
      }
    }
    const heading = page.querySelector('#main h1')?.textContent
    const reason = page.querySelector('#main .meta')?.textContent
    if (!heading || !reason) {
      const text = `The answer was ${status}, and it did not come from Rollcall. What you entered stays here.`
      return { heading: 'Rollcall did not answer', text }
    }
    const id = page.querySelector('#main code')?.textContent
    return { heading, text: id ? `${reason} Request ${id}.` : reason }
  }

  const parse = text => new DOMParser().parseFromString(text, 'text/html')

  /* They keep the focus, and a second press is ignored. */
  function dim(form, isUnderWay) {
    for (const button of form.querySelectorAll('[type="submit"]')) {
      if (isUnderWay) button.setAttribute('aria-disabled', 'true')
      else button.removeAttribute('aria-disabled')
    }
  }

  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (!isForm(ctx.sourceElement)) return
    dim(ctx.sourceElement, true)
    for (const old of ctx.sourceElement.querySelectorAll('#trouble, #errors')) old.hidden = true
    say(ctx.sourceElement.matches('[data-upload]') ? 'Uploading.' : 'Sending.')
  })

  document.addEventListener('htmx:after:request', event => {
    const { ctx } = event.detail
    const form = ctx.sourceElement
    const { status, raw } = ctx.response
    if (!isForm(form) || status < 400) return
    const page = parse(ctx.text)
    if (status === 422 && page.getElementById(form.id)) return
    event.preventDefault()
    // the form worked, and only the next page failed
    if (raw.redirected) location.assign(raw.url)
    else tell(form, refusalIn(page, status))
  })

  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (isForm(ctx.sourceElement)) dim(ctx.sourceElement, false)
  })

  document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
    // uploads report it themselves
    if (!isForm(ctx?.sourceElement) || ctx.sourceElement.matches('[data-upload]')) return
    const heading =
      ctx.request.signal.reason === 'timeout' ? 'Rollcall did not answer in time' : 'The connection was lost'
    const text = 'The invitations may or may not have been sent. Send again: no one is invited twice.'
    tell(ctx.sourceElement, { heading, text })
  })

  /* A new main part, or the page that Back leads to: as after a link, screen readers start at its heading. */
  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    if (ctx.target?.id !== 'main' && ctx.target !== document.body) {
      if (isForm(ctx.sourceElement)) say('')
      return
    }
    const heading = document.querySelector('#main h1')
    if (heading) {
      heading.tabIndex = -1
      heading.focus()
    }
    say(document.querySelector('#main > [role="status"]')?.textContent.trim() ?? '')
  })

  window.rollcall.swap = { say, tell, signedIn, refusalIn, parse }
})()

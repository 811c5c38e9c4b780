/* button[data-copy="#id"] copies that input's value and says so in the status beside it. form[data-copy-link] requests a
   link and copies it at once; if that fails, the form is sent and its page shows the link. */
;(() => {
  async function copy(input) {
    try {
      await navigator.clipboard.writeText(input.value)
    } catch {
      // no clipboard on plain http: use the old way, which needs a selection
      input.select()
      return document.execCommand('copy')
    }
    return true
  }

  document.addEventListener('click', async event => {
    const button = event.target.closest?.('button[data-copy]')
    const input = button && document.querySelector(button.dataset.copy)
    if (!input) return
    const isCopied = await copy(input)
    const status =
      button.parentElement.querySelector('[role="status"]') ?? document.querySelector('main [role="status"]')
    if (status) status.textContent = isCopied ? 'Copied' : 'Press Ctrl+C to copy'
  })

  async function copyFrom(form) {
    const body = new URLSearchParams({ how: 'copied' })
    const answer = await fetch(form.action, { method: 'POST', body, headers: { 'HX-Request': 'true' } })
    const signIn = answer.headers.get('HX-Redirect')
    if (signIn) return location.assign(signIn)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const link = page.querySelector('#link')
    if (!answer.ok || !link || page.querySelector('[data-replaced]')) return form.submit()
    try {
      await navigator.clipboard.writeText(link.value)
    } catch {
      return form.submit()
    }
    const status = document.querySelector('main > [role="status"]')
    status.innerHTML = '<div class="callout good flash"><p></p></div>'
    status.querySelector('p').textContent = 'Link copied. Anyone who has it can join with it, once.'
  }

  document.addEventListener('submit', event => {
    if (!event.target.matches('form[data-copy-link]')) return
    event.preventDefault()
    copyFrom(event.target).catch(() => event.target.submit())
  })
})()

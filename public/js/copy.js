/* button[data-copy="#id"] copies that input's value and says so in the status beside it. */
;(() => {
  async function copy(input) {
    try {
      await navigator.clipboard.writeText(input.value)
    } catch {
      // no clipboard on plain http: the old way, which needs a selection
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
})()

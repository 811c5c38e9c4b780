/* Keys anywhere on a page: search, the list of shortcuts, "g" and a letter, the main action. */
;(() => {
  const { rollcall } = window
  const patience = 1200
  let goUntil = 0

  /* Each answers whether it took the key. */
  const pageKeys = {
    '/': () => {
      const field = document.querySelector('[data-search]')
      field?.focus()
      field?.select()
      return Boolean(field)
    },
    '?': () => {
      document.getElementById('keys')?.togglePopover?.()
      return false
    },
    g: () => {
      goUntil = Date.now() + patience
      return false
    },
    j: () => intoList(1),
    k: () => intoList(-1)
  }

  function intoList(step) {
    const list = document.querySelector('[data-list]')
    if (list) rollcall.move(list, null, step)
    return Boolean(list)
  }

  function go(key) {
    goUntil = 0
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`)
    link?.click()
    return Boolean(link)
  }

  function mainAction(element) {
    const button = element.closest('form')?.querySelector('[data-primary]')
    if (!button?.checkVisibility()) return false
    button.click()
    return true
  }

  function fromSearch(element) {
    const list = element.matches('[data-search]') && element.closest('[data-list]')
    if (list) rollcall.list.picks(list)[0]?.focus()
    return Boolean(list)
  }

  function takes(event) {
    const { key, target } = event
    if (event.ctrlKey || event.metaKey) return key === 'Enter' && mainAction(target)
    if (rollcall.isText(target)) return key === 'ArrowDown' && fromSearch(target)
    if (!rollcall.hasShortcuts() || (event.shiftKey && key !== '?')) return false
    if (goUntil > Date.now()) return go(key)
    return Boolean(Object.hasOwn(pageKeys, key) && pageKeys[key]())
  }

  document.addEventListener('keydown', event => {
    if (rollcall.isForUs(event) && takes(event)) event.preventDefault()
  })
})()

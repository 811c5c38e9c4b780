/* Keys anywhere on a page: search, the list of shortcuts, "g" and a letter, the main action. */
;(() => {
  const { rollcall } = window
  const patience = 1200
  let goUntil = 0

  /* Each returns whether it handled the key. */
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

  /* The first list that has rows. */
  function intoList(step) {
    const list = [...document.querySelectorAll('[data-list]')].find(each => rollcall.list.stops(each).length > 0)
    if (list) rollcall.move(list, null, step)
    return Boolean(list)
  }

  function go(key) {
    goUntil = 0
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`)
    link?.click()
    return Boolean(link)
  }

  /* The form's main action; outside of forms, the page's, if it has just one. */
  function mainAction(element) {
    const scope = element.closest('form') ?? document
    const buttons = [...scope.querySelectorAll('[data-primary]')].filter(button => button.checkVisibility())
    if (buttons.length !== 1 || buttons[0].disabled) return false
    buttons[0].click()
    return true
  }

  function fromSearch(element) {
    const list = element.matches('[data-search]') && element.closest('[data-list]')
    if (list) rollcall.list.stops(list)[0]?.focus()
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

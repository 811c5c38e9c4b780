/* global rollcallAddresses */
/* Several addresses pasted into one of the fields named "email" are distributed to the empty ones. Without JavaScript the
   server splits them. */
;(() => {
  const { splitAddresses, withoutName } = rollcallAddresses
  const addressesIn = text => splitAddresses(text).map(withoutName)

  function fill(field, value) {
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
    field.focus()
  }

  document.addEventListener('paste', event => {
    const field = event.target
    if (!(field instanceof HTMLInputElement) || field.name !== 'email' || !field.form) return
    const fields = [...field.form.querySelectorAll('input[name="email"]')]
    const addresses = addressesIn(event.clipboardData?.getData('text') ?? '')
    if (fields.length < 2 || addresses.length < 2) return
    const isAllSelected = field.selectionStart === 0 && field.selectionEnd === field.value.length
    const empty = fields.filter(each => each.value.trim() === '' || (each === field && isAllSelected))
    if (empty.length === 0) return
    event.preventDefault()
    const after = [...empty.filter(each => fields.indexOf(each) >= fields.indexOf(field)), ...empty]
    const targets = [...new Set(after)]
    // the rest stays in the last field, where the server reports that there are too many
    targets.forEach((target, index) => {
      const own = index === targets.length - 1 ? addresses.slice(index).join('; ') : addresses[index]
      if (own) fill(target, own)
    })
  })
})()

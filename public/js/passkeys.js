/* form[data-passkey="create"] makes a passkey and form[data-passkey="get"] uses one, with the options of data-options; the
   browser's answer is sent with the form. Without JavaScript, or where a browser knows no passkeys, they stay hidden. */
;(() => {
  const { PublicKeyCredential } = window
  if (!PublicKeyCredential?.parseCreationOptionsFromJSON) return
  for (const form of document.querySelectorAll('form[data-passkey]')) form.hidden = false

  async function ask({ dataset }) {
    const answer = await fetch(dataset.options, { method: 'POST', body: new URLSearchParams() })
    if (answer.status === 429) throw new Error('Too many attempts. Wait a minute and try again.')
    if (!answer.ok) throw new Error('That did not work. Reload the page and try again.')
    const options = await answer.json()
    return dataset.passkey === 'create'
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
  }

  const words = {
    NotAllowedError: 'Canceled, or no passkey was found here.',
    InvalidStateError: 'This device has a passkey for your account already.'
  }

  document.addEventListener('submit', async event => {
    const form = event.target
    if (!form.matches('form[data-passkey]')) return
    event.preventDefault()
    try {
      form.elements.namedItem('credential').value = JSON.stringify((await ask(form)).toJSON())
      form.submit()
    } catch (error) {
      form.querySelector('[data-passkey-error]').textContent = words[error.name] ?? error.message
    }
  })
})()

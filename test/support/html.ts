/** A page parsed as in a browser: its tags with their attributes, and the text between them. */

export interface Tag {
  name: string
  attributes: Map<string, string>
}

/** Every opening tag. Attributes without quotes end at a space or at the tag's end, as browsers read them. */
export function tagsOf(html: string): Tag[] {
  return [...html.matchAll(/<([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)].map(([, name, rest]) => ({
    name: name!.toLowerCase(),
    attributes: new Map(
      [...rest!.matchAll(/([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)].map(
        ([, key, double, single, bare]) => [key!.toLowerCase(), double ?? single ?? bare ?? '']
      )
    )
  }))
}

/** Active content in a page that is not ours: tags, handlers and requests that name the canary. */
export function aliveIn(html: string, canary: string): string[] {
  return tagsOf(html).flatMap(({ name, attributes }) => [
    ...(name.includes(canary) || (name === 'svg' && attributes.has('onload')) ? [`<${name}>`] : []),
    ...[...attributes].flatMap(([key, value]) => {
      const acts = /^on|^(data-)?hx-|^style$|^srcdoc$|^autofocus$/.test(key) && value.includes(canary)
      const leads = /^(href|src|action|formaction)$/.test(key) && /^(javascript:|data:|\/\/)/i.test(value.trim())
      return acts || leads || key.includes(canary) ? [`<${name} ${key}="${value}">`] : []
    })
  ])
}

/** `text` when it is a path of this site, and nothing else: never another host, a scheme, or a header's end. */
export function ownPath(text: string | undefined, baseUrl: string): string | undefined {
  if (!text?.startsWith('/') || /[\\\p{Cc}]/u.test(text) || text.startsWith('//') || text.length > 2000)
    return undefined
  const url = URL.canParse(text, baseUrl) ? new URL(text, baseUrl) : undefined
  if (url?.origin !== baseUrl || url.pathname.startsWith('//')) return undefined
  return url.pathname + url.search
}

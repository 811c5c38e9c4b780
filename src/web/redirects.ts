/** Longer paths are dropped: they come back in a header, and browsers and proxies refuse long ones. */
export const longestPath = 2000

/** `text` if it is a path of this site: never another host, a scheme or a line break. */
export function ownPath(text: string | undefined, baseUrl: string): string | undefined {
  if (!text?.startsWith('/') || text.length > longestPath) return undefined
  if (text.startsWith('//') || /[\\\p{Cc}]/u.test(text)) return undefined
  const url = URL.canParse(text, baseUrl) ? new URL(text, baseUrl) : undefined
  if (url?.origin !== baseUrl || url.pathname.startsWith('//')) return undefined
  return url.pathname + url.search
}

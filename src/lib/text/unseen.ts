const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Writes control and invisible characters out, so that none reverses the page: "a⟨U+202E⟩b". */
export function revealUnseen(text: string): string {
  return text.replace(unseen, sign => (sign === '\t' ? sign : `⟨U+${codeOf(sign)}⟩`))
}

export const withoutUnseen = (text: string) => text.replace(unseen, '')

const codeOf = (sign: string) => sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')

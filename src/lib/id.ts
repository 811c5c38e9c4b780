/** A row's id in an address or a form: a positive safe integer; undefined for anything else. */
export const idOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined

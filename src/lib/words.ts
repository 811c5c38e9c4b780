export const number = (value: number) => value.toLocaleString('en')

export const rateInWords = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })

/** `1 email`, `1,234 emails`; `many` for an irregular plural. */
export const counted = (value: number, one: string, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`

export const peopleInWords = (value: number) => counted(value, 'person', 'people')

/** A whole number with its thousands apart: `1,234`. */
export const number = (value: number) => value.toLocaleString('en')

/** A rate, with one digit behind the point below ten. */
export const rateInWords = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })

/** `1 email`, `1,234 emails`; `many` for an irregular plural. */
export const counted = (value: number, one: string, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`

/** `1 person`, `1,234 people`. */
export const peopleInWords = (value: number) => counted(value, 'person', 'people')

/** Recognizes the code's own words in text from forms, links and servers. */

export const isOneOf = <T extends string>(known: readonly T[], text: string): text is T =>
  known.some(each => each === text)

export const isKeyOf = <T extends object>(object: T, key: string): key is keyof T & string => Object.hasOwn(object, key)

/** The keys of an object that has only those of its type. */
export const keysIn = <T extends object>(object: T): (keyof T & string)[] =>
  Object.keys(object).filter(key => isKeyOf(object, key))

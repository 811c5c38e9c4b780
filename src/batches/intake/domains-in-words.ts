const or = new Intl.ListFormat('en', { type: 'disjunction' })

/** The endings that an address may have: "@larkfield.example or @larkfield-retail.example". */
export const domainsInWords = (domains: readonly string[]) => or.format(domains.map(domain => `@${domain}`))

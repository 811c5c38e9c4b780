const or = new Intl.ListFormat('en', { type: 'disjunction' })

/** For example "@larkfield.example or @larkfield-retail.example". */
export const domainsInWords = (domains: readonly string[]) => or.format(domains.map(domain => `@${domain}`))

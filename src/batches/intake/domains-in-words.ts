const or = new Intl.ListFormat('en', { type: 'disjunction' })

export const domainsInWords = (domains: readonly string[]) => or.format(domains.map(domain => `@${domain}`))

import t from 'tap'
import { browserInWords } from '../../src/lib/user-agent.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'

t.test('a browser is named with its system', async t => {
  const shown = [
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/156.0.0.0 Safari/537.36`, 'Chrome on Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/156.0.0.0 Safari/537.36 Edg/156.0`, 'Edge on Windows'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0', 'Firefox on Windows'],
    [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/26.1 Safari/605.1.15`, 'Safari on macOS'],
    [`Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) ${webkit} CriOS/156.0 Safari/604.1`, 'Chrome on iPhone'],
    [`Mozilla/5.0 (Linux; Android 16; K) ${webkit} Chrome/156.0.0.0 Mobile Safari/537.36`, 'Chrome on Android'],
    ['Mozilla/5.0 (X11; Linux x86_64)', 'A browser on Linux']
  ] as const
  for (const [userAgent, words] of shown) t.equal(browserInWords(userAgent), words)
})

t.test('an unknown browser is called unknown', async t => {
  for (const userAgent of [null, '', 'curl/8.5.0', '<script>']) t.equal(browserInWords(userAgent), 'Unknown browser')
})

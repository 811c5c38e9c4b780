/** A real browser in front of the real application, which listens on a port chosen by the system. */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import net, { type AddressInfo } from 'node:net'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { goodPassword, type Persona, startApp, type TestApp, type TestAppOptions } from './app.ts'
import { isLong } from './long.ts'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const args = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync']
]

export interface Site extends TestApp {
  baseUrl: string
  /** A separate window: cookies, JavaScript on or off, and `faults`, which collects the browser's complaints. */
  open: (options?: BrowserContextOptions) => Promise<Page>
  signIn: (page: Page, persona: Persona) => Promise<void>
  /** Violations of the page's policy, errors of scripts, and answers that no page should get. */
  faults: string[]
}

/** The application, listening, and a browser. The worker does not run: `work` runs what is due. */
export async function startSite(options: TestAppOptions = {}): Promise<Site> {
  const baseUrl = `http://localhost:${await freePort()}`
  const rollcall = await startApp({ ...options, environment: { ...options.environment, BASE_URL: baseUrl } })
  await rollcall.app.listen({ host: 'localhost', port: Number(new URL(baseUrl).port) })
  const browser = await theBrowser()
  const faults: string[] = []
  const contexts = new Set<BrowserContext>()
  return {
    ...rollcall,
    baseUrl,
    faults,
    open: async options => {
      const page = await openPage(browser, baseUrl, faults, options)
      contexts.add(page.context())
      return page
    },
    signIn: async (page, persona) => {
      await page.goto('/sign-in')
      await page.getByLabel('Email address').fill(`${persona}@larkfield.example`)
      await page.getByLabel('Password').fill(goodPassword)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.locator('.who').waitFor({ state: 'attached' })
    },
    close: async () => {
      await Promise.all([...contexts].map(context => context.close()))
      leaveBrowser()
      await rollcall.close()
    }
  }
}

let launched: Promise<Browser> | undefined
let sites = 0
let closing: NodeJS.Timeout | undefined

/** One browser for all sites and test files of a process, which share no data in it. */
async function theBrowser(): Promise<Browser> {
  clearTimeout(closing)
  sites += 1
  launched ??= chromium.launch({ executablePath, args })
  return launched
}

/** The next test file of this process may need it at once. */
function leaveBrowser() {
  sites -= 1
  if (sites > 0) return
  closing = setTimeout(async () => {
    const browser = await launched
    launched = undefined
    await browser?.close()
  }, 2_000)
}

/** A recently free port: the application must know its own address before it listens. */
async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

async function openPage(browser: Browser, baseURL: string, faults: string[], options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ baseURL, viewport: { width: 1280, height: 900 }, ...options })
  // how long a step takes on a busy machine is not what these tests are about
  context.setDefaultTimeout(90_000)
  const page = await context.newPage()
  page.on('pageerror', error => faults.push(`${page.url()}: ${error.message}`))
  page.on('console', message => {
    const { url } = message.location()
    // the browser reports every refused form as an error, but tests check those answers
    const isAnswer = message.text().startsWith('Failed to load resource') && !url.includes('/assets/')
    if (message.type() === 'error' && !isAnswer) faults.push(`${page.url()}: ${message.text()}`)
  })
  page.on('response', answer => {
    if (answer.status() >= 500) faults.push(`${answer.url()}: ${answer.status()}`)
  })
  return page
}

/** Both themes, both widths. Most rules give the same result in all four, so two check all rules, and the others are for `--long`. */
const allLooks = [
  { colorScheme: 'light', width: 1280, isFull: true },
  { colorScheme: 'dark', width: 1280, isFull: false },
  { colorScheme: 'light', width: 390, isFull: false },
  { colorScheme: 'dark', width: 390, isFull: true }
] as const
const looks = allLooks.filter(({ isFull }) => isFull || isLong)
const aboutLooks = ['color-contrast', 'target-size', 'link-in-text-block', 'scrollable-region-focusable']

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[]
}

/** Problems that axe finds on the page in each look, and content that overflows its window or card. */
export async function findingsOf(page: Page): Promise<string[]> {
  const size = page.viewportSize()
  const findings: string[] = []
  await page.evaluate(axe)
  for (const { colorScheme, width, isFull } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    const options = isFull ? {} : { runOnly: aboutLooks }
    const { violations, excess, cut } = await page.evaluate(async options => {
      // the menu closes and the colors change within a frame or two
      await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      await Promise.all(document.getAnimations().map(animation => animation.finished))
      const { axe } = window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } }
      const { violations } = await axe.run({ ...options, resultTypes: ['violations'], preload: false })
      const right = (element: Element) => element.getBoundingClientRect().right
      const isCut = (card: Element) => (element: Element) =>
        right(element) > right(card) + 1 && !element.closest('svg') && element.checkVisibility()
      const cut = [...document.querySelectorAll('.card')].flatMap(card =>
        [...card.querySelectorAll(':not(.sr, .sr *)')].filter(isCut(card)).map(element => element.outerHTML)
      )
      return { violations, cut, excess: document.documentElement.scrollWidth - window.innerWidth }
    }, options)
    const where = `${new URL(page.url()).pathname} ${colorScheme} ${width}`
    if (excess > 0) findings.push(`${where}: ${excess} pixels wider than the window`)
    for (const html of cut) findings.push(`${where}: its card cuts off ${html.slice(0, 200)}`)
    for (const { id, nodes } of violations) findings.push(`${where}: ${id}: ${nodes.map(node => node.html).join(' ')}`)
  }
  await page.setViewportSize({ width: 320, height: 640 })
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  if (excess > 0) findings.push(`${page.url()} at 320, which is 1280 at 400%: scrolls sideways by ${excess}`)
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  if (size) await page.setViewportSize(size)
  return findings
}

import fs from 'node:fs'
import path from 'node:path'
import view from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readable } from '../lib/addresses/readable-domain.ts'
import { roleNames } from '../lib/role.ts'
import type { Assets } from './assets.ts'
import { navigationFor, tabsFor } from './navigation.ts'

export interface PageHead {
  title: string
  section?: string
  status?: number
  /** Reload without JavaScript: where and after how many seconds. */
  refresh?: { seconds: number; url: string } | null
  mainAttributes?: [string, string][]
}

declare module 'fastify' {
  interface FastifyReply {
    page(name: string, head: PageHead, data?: object): FastifyReply
  }
}

const views = path.join(import.meta.dirname, '../../views')

/** A missing value is a bug and stops the page; domain names become readable. */
function shown(value: unknown): unknown {
  if (value === undefined || value === null) throw new Error('a template prints a value that is not there')
  return typeof value === 'string' ? readable(value) : value
}

const eta = new Eta({
  views,
  cache: true,
  autoTrim: false,
  autoFilter: true,
  filterFunction: value => shown(value) as string
})

/** Decorates replies with `page` and compiles every template, so that a broken one stops the start. */
export async function servePages(app: FastifyInstance, assets: Assets): Promise<void> {
  await app.register(view, { engine: { eta }, root: views, production: true })
  const names = fs.readdirSync(views, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.eta'))
  const pages = names.map(name => name.slice(0, -'.eta'.length)).filter(name => !name.startsWith('mail/'))
  for (const name of pages) eta.compile(fs.readFileSync(path.join(views, `${name}.eta`), 'utf8'))
  app.decorateReply('page', function (this: FastifyReply, name: string, head: PageHead, data: object = {}) {
    const region = name.replace(/[^/]+$/, last => `_${last}`)
    const wantsPart = this.request.headers['hx-request-type'] === 'partial' && pages.includes(region)
    this.code(head.status ?? 200).header('vary', 'HX-Request, HX-Request-Type')
    return this.view(wantsPart ? region : name, { ...data, page: pageData(this.request, assets, head) })
  })
}

function pageData(request: FastifyRequest, assets: Assets, head: PageHead) {
  const viewer = request.viewer
  return {
    title: head.title,
    section: head.section ?? null,
    viewer: viewer && { ...viewer, initials: initialsOf(viewer.name), roleName: roleNames[viewer.role] },
    organization: request.organization,
    nav: viewer && !viewer.needsFactor ? navigationFor(viewer.role, head.section) : [],
    tabs: viewer ? tabsFor(viewer.role, head.section) : [],
    flash: request.flash,
    assets,
    refresh: head.refresh ?? null,
    mainAttributes: head.mainAttributes ?? []
  }
}

export function initialsOf(name: string): string {
  return name
    .split(/[\s.@-]+/)
    .map(word => [...word][0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase()
}

import { eq, notInArray, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { domains, settings } from '../db/schema.ts'

export interface Organization {
  organization: string
  continueUrl: string | null
  invitationDays: number
  /** Days that the lines of a batch are kept. */
  lineDays: number
  timeZone: string
  domains: string[]
}

/** Undefined before setup. */
export async function readOrganization(db: Db): Promise<Organization | undefined> {
  const names = sql<
    string[]
  >`(select coalesce(array_agg(${domains.name} order by ${domains.name}), '{}') from ${domains})`
  const { organization, continueUrl, invitationDays, lineDays, timeZone } = settings
  const [row] = await db
    .select({ organization, continueUrl, invitationDays, lineDays, timeZone, domains: names })
    .from(settings)
  return row
}

export async function isOwnDomain(db: Db, name: string): Promise<boolean> {
  return (await db.select({ name: domains.name }).from(domains).where(eq(domains.name, name))).length > 0
}

/** @throws before setup, where nothing that needs the organization can be reached. */
export async function organizationOf(db: Db): Promise<Organization> {
  const organization = await readOrganization(db)
  if (!organization) throw new Error('Rollcall is not set up yet')
  return organization
}

export interface OrganizationSettings {
  organization: string
  continueUrl: string | null
  invitationDays: number
  timeZone?: string
  domains: string[]
}

/** Writes the one row that completes the setup; false when another request was faster. */
export async function insertOrganization(tx: Db, organization: string, names: string[]): Promise<boolean> {
  const rows = await tx.insert(settings).values({ organization }).onConflictDoNothing().returning({ id: settings.id })
  if (rows.length === 0) return false
  await replaceDomains(tx, names)
  return true
}

/** Keeps other changes of the settings waiting until this transaction ends. */
export async function lockSettings(tx: Db): Promise<void> {
  await tx.select({ id: settings.id }).from(settings).for('update')
}

export async function updateOrganization(tx: Db, { domains: names, ...changed }: OrganizationSettings): Promise<void> {
  await tx.update(settings).set(changed)
  await replaceDomains(tx, names)
}

async function replaceDomains(tx: Db, names: string[]) {
  await tx.delete(domains).where(names.length > 0 ? notInArray(domains.name, names) : sql`true`)
  if (names.length > 0)
    await tx
      .insert(domains)
      .values(names.map(name => ({ name })))
      .onConflictDoNothing()
}

export async function updateLineDays(tx: Db, lineDays: number): Promise<void> {
  await tx.update(settings).set({ lineDays })
}

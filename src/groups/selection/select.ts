import { type Database, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import {
  addPeople,
  insertSelection,
  lockSelection,
  type Meant,
  type Owner,
  recount,
  takeEverybodyOut,
  takeOut
} from '../members/selection-store.ts'
import type { Grouping, MemberFilter } from '../members/view.ts'

/** What an admin selected and cleared since the page was rendered. */
export interface Ticks {
  /** The view of that page: sections and "everyone" mean the people it showed. */
  filter: MemberFilter
  by: Grouping
  clear: boolean
  all: boolean
  sectionsOut: string[]
  sectionsIn: string[]
  peopleOut: number[]
  peopleIn: number[]
}

export interface Selected {
  id: number | null
  people: number
}

/** Clears first, then adds everyone, sections, people, so that "a section but one person" works. */
export async function select(
  db: Database,
  owner: Owner & { teamId: number },
  selectionId: number | null,
  ticks: Ticks
): Promise<Selected> {
  return transaction(db, async tx => {
    await requireRole(tx, owner.adminId, 'admin')
    const known = selectionId === null ? undefined : await lockSelection(tx, selectionId, owner)
    const isOpen = known !== undefined && known.batchId === null
    const id = isOpen ? known.id : begins(ticks) ? await insertSelection(tx, owner) : null
    if (id === null) return { id, people: 0 }
    const { filter, by } = ticks
    const add = (meant: Meant) => addPeople(tx, id, owner.teamId, meant)
    const out = (meant: Meant) => takeOut(tx, id, owner.teamId, meant)
    if (ticks.clear) await takeEverybodyOut(tx, id)
    if (ticks.all) await add({ filter })
    if (ticks.sectionsOut.length > 0) await out({ filter, by, sections: ticks.sectionsOut })
    if (ticks.sectionsIn.length > 0) await add({ filter, by, sections: ticks.sectionsIn })
    if (ticks.peopleOut.length > 0) await out({ people: ticks.peopleOut })
    if (ticks.peopleIn.length > 0) await add({ people: ticks.peopleIn })
    return { id, people: await recount(tx, id) }
  })
}

const begins = ({ all, sectionsIn, peopleIn }: Ticks) => all || sectionsIn.length > 0 || peopleIn.length > 0

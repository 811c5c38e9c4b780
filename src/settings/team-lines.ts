/** `value = team`, a line each: which values of the provider's groups claim put people into which team. */
export function readTeamLines(
  text: string,
  known: readonly string[]
): { teams: { value: string; team: string }[]; problem: string | undefined } {
  const teams: { value: string; team: string }[] = []
  const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
  if (lines.length > 500) return { teams, problem: 'Enter at most 500 lines.' }
  for (const { line, number } of lines) {
    const [value, typed] = partsOf(line)
    if (!value || !typed || value.length > 500) return { teams, problem: `Line ${number}: write it like value = team.` }
    const team = known.find(name => name.toLowerCase() === typed.toLowerCase())
    if (team === undefined)
      return { teams, problem: `Line ${number}: there is no team “${typed.slice(0, 100)}”. Create it at Teams first.` }
    teams.push({ value, team })
  }
  return { teams, problem: undefined }
}

/** A value may be a DN with signs of its own, so the sign between blanks counts, or else the last one. */
function partsOf(line: string): [string, string] {
  const at = line.includes(' = ') ? line.indexOf(' = ') + 1 : line.lastIndexOf('=')
  return at < 0 ? ['', ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
}

// Finds a user in Deskbell's mirror, also one who has just signed up. For the server alone: the token must
// not reach a browser.

export type User = {
  id: string
  primary_email_address: string | null
  first_name: string | null
  last_name: string | null
}

/** The user's row; null if Clerk has no such user. Waits up to 6 seconds for a new user's event. */
export async function ensureUser(id: string): Promise<User | null> {
  const url = `${process.env.DESKBELL_URL}/api/v1/users/${encodeURIComponent(id)}?wait=6s`
  const headers = { authorization: `Bearer ${process.env.DESKBELL_TOKEN}` }
  const reply = await fetch(url, { headers, cache: 'no-store' })
  if (reply.status === 404) return null
  if (!reply.ok) throw new Error(`Deskbell answered ${reply.status}: ${await reply.text()}`)
  return reply.json()
}

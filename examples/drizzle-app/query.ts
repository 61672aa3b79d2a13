// Who is in which workspace.
import { asc, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { teamMembers, users, workspaces } from './schema.ts'

const db = drizzle(process.env.DATABASE_URL!)

const members = await db
  .select({ workspace: workspaces.name, name: users.name, email: users.email, role: teamMembers.role, desk: teamMembers.desk })
  .from(teamMembers)
  .innerJoin(workspaces, eq(workspaces.id, teamMembers.workspaceId))
  .innerJoin(users, eq(users.id, teamMembers.userId))
  .orderBy(asc(workspaces.name), asc(users.name))

for (const { workspace, name, email, role, desk } of members) {
  console.log(`${workspace}: ${name} <${email}>, ${role}, desk: ${desk}`)
}
console.log(`${await db.$count(users)} users`)

await db.$client.end()

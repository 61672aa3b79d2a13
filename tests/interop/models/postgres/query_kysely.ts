import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import type { Database } from './clerk_kysely.ts'
import type { User } from './clerk_typescript.ts'

const db = new Kysely<Database>({
  dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) }),
})

// The rows of both formats are the same.
const user: User = await db.selectFrom('clerk.users').selectAll().executeTakeFirstOrThrow()
const addresses = db.selectFrom('clerk.user_email_addresses').where('user_id', '=', user.id)
const { found } = await addresses.select(sql<string>`count(*)`.as('found')).executeTakeFirstOrThrow()
const metadata = user.public_metadata as { plan?: string }
console.log([user.id, user.primary_email_address, user.created_at?.toISOString(), metadata.plan, found].join('|'))

// @ts-expect-error: Deskbell alone writes it.
db.updateTable('clerk.users').set({ first_name: 'Ada' })

await db.destroy()

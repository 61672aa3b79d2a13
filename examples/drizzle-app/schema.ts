// The application's tables.
import { randomUUID } from 'node:crypto'
import { pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

export const users = pgTable('users', {
  id: uuid().primaryKey().defaultRandom(),
  clerkId: text('clerk_id').notNull().unique(),
  email: text().unique(),
  name: text(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
})

export const workspaces = pgTable('workspaces', {
  id: uuid().primaryKey().$defaultFn(() => randomUUID()),
  clerkId: text('clerk_id').notNull().unique(),
  name: text().notNull(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().$onUpdate(() => new Date()),
})

export const teamMembers = pgTable(
  'team_members',
  {
    workspaceId: uuid('workspace_id').notNull().references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: uuid('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
    role: text().notNull(),
    desk: text().notNull().default('none yet'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.userId] })],
)

// What a row is, in each format.
import type { Selectable } from 'kysely'
import * as clerk from './clerk_drizzle.ts'
import type { Database } from './clerk_kysely.ts'
import type { User } from './clerk_typescript.ts'
import type { ClerkUser } from './generated/client.ts'

export function plain(user: User): string | null {
  return user.banned === 1 ? user.created_at : JSON.parse(user.raw).id
}

export function kysely(user: Selectable<Database['clerk_users']>): User {
  return user
}

export function drizzle(user: typeof clerk.users.$inferSelect): string | null {
  return user.banned === true ? user.createdAt : user.primaryEmailAddress
}

export function prisma(user: ClerkUser): bigint | null {
  return user.banned === true ? user.createOrganizationsLimit : null
}

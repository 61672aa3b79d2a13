import { count, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import * as clerk from './clerk_drizzle.ts'

const db = drizzle(process.env.DATABASE_URL!)

const [user] = await db.select().from(clerk.users)
const metadata = user.publicMetadata as { plan?: string }
const addresses = clerk.userEmailAddresses
const [{ found }] = await db.select({ found: count() }).from(addresses).where(eq(addresses.userId, user.id))
const createdAt: Date | null = user.createdAt
console.log([user.id, user.primaryEmailAddress, createdAt?.toISOString(), metadata.plan, found].join('|'))

await db.$client.end()

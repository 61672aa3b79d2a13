import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })

const [user] = await prisma.clerkUser.findMany({ where: { primaryEmailAddress: { not: null } } })
const metadata = user.publicMetadata as { plan?: string }
const addresses = await prisma.clerkUserEmailAddress.count({ where: { userId: user.id } })
console.log([user.id, user.primaryEmailAddress, user.createdAt?.toISOString(), metadata.plan, addresses].join('|'))

// @ts-expect-error: Deskbell's own columns are not the application's.
user.deskbellRank
// @ts-expect-error: nor are its tables.
prisma.clerkDeskbellTombstone

await prisma.$disconnect()

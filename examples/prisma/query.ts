// Who there is, what they belong to, and what they pay for.
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'

const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }),
})

const users = await prisma.user.findMany({
  orderBy: { id: 'asc' },
  include: {
    emailAddresses: { orderBy: { id: 'asc' } },
    memberships: { include: { organization: true }, orderBy: { id: 'asc' } },
    subscriptionItems: { where: { status: 'active' }, orderBy: { id: 'asc' } },
  },
})

for (const user of users) {
  console.log(`${user.first_name} ${user.last_name}, ${user.primary_email_address}, since ${user.created_at?.toISOString()}`)
  for (const address of user.emailAddresses) {
    console.log(`  ${address.email_address} is ${address.verification_status}`)
  }
  for (const membership of user.memberships) {
    console.log(`  ${membership.role} of ${membership.organization?.name}`)
  }
  for (const item of user.subscriptionItems) {
    console.log(`  ${item.plan_name}: ${Number(item.plan_amount) / 100} ${item.plan_currency} a ${item.interval}, until ${item.period_end?.toISOString()}`)
  }
}

await prisma.$disconnect()

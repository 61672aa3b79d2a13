// Users with their teams and posts.
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'

const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }),
})

const users = await prisma.user.findMany({ include: { posts: true, teams: true }, orderBy: { id: 'asc' } })

for (const { name, email, role, posts, teams } of users) {
  const titles = posts.map((post) => post.title).join(', ') || 'none'
  const names = teams.map((team) => team.name).join(', ') || 'none'
  console.log(`${name} <${email}> is ${role}, posts: ${titles}, teams: ${names}`)
}

await prisma.$disconnect()

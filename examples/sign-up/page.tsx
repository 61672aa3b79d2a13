// app/welcome/page.tsx: where Clerk sends the browser after sign-up.
import { auth } from '@clerk/nextjs/server'
import { redirect } from 'next/navigation'
import { ensureUser } from './ensure-user'

export default async function Welcome() {
  const { userId } = await auth()
  if (!userId) redirect('/sign-in')
  const user = await ensureUser(userId)
  if (!user) redirect('/sign-in')
  // From here on the row is in the mirror: queries and joins find it.
  return <h1>Welcome, {user.first_name ?? user.primary_email_address}</h1>
}

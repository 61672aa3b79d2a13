//! Deskbell's mirror: Clerk's entities kept convergent in a database.

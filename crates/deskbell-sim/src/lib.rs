//! A simulated Clerk: realistic lifecycles, sent as Clerk's webhook sender sends them.

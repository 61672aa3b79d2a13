//! Verify, sign and read Clerk (and Svix) webhooks: constant-time verification, typed events, a catalog, and extractors for axum and actix-web.

//! Deskbell's HTTP side: ingest, health and metrics.

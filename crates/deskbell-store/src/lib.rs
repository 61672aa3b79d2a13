//! Deskbell's event log: the Store trait and its backends.

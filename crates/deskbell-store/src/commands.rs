//! Commands: what `deskbell` on the command line, or the admin API, asks the running program to do.

use async_trait::async_trait;

use crate::{Leases, StoreError};

/// The name of the consumer that executes commands.
pub const COMMANDS: &str = "orders";

/// The store's queue of commands.
#[async_trait]
pub trait Commands: Leases {
    /// Enqueues a command, also for another process that shares the store.
    ///
    /// # Errors
    /// Nothing was enqueued.
    async fn enqueue_command(&self, command: &Command) -> Result<CommandId, StoreError>;

    /// The oldest command that has not been executed, of those enqueued after this one.
    ///
    /// # Errors
    /// The store could not be read.
    async fn next_command(
        &self,
        after: Option<CommandId>,
    ) -> Result<Option<QueuedCommand>, StoreError>;

    /// Stores how far a command is, in the program's own format; the latest is kept.
    ///
    /// # Errors
    /// Nothing was stored.
    async fn report_progress(&self, id: CommandId, progress: &str) -> Result<(), StoreError>;

    /// Stores a command's outcome.
    ///
    /// # Errors
    /// It stays in the queue, and is executed again.
    async fn complete_command(&self, id: CommandId, outcome: &str) -> Result<(), StoreError>;

    /// The command with this id.
    ///
    /// # Errors
    /// The store could not be read.
    async fn find_command(&self, id: CommandId) -> Result<Option<QueuedCommand>, StoreError>;
}

/// A command's number, in the order in which they were enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub i64);

/// A command in the program's own format. The store does not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(pub String);

/// A command in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedCommand {
    pub id: CommandId,
    /// What was asked for.
    pub command: Command,
    /// What came of it; `None` if it has not been executed.
    pub outcome: Option<String>,
    /// How far it is, as was last reported.
    pub progress: Option<String>,
}

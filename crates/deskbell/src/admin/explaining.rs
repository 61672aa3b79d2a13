//! How many answers ask the mirrors' databases at the same time.

use std::time::Duration;

use deskbell_admin::AdminError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Explanations, and stories of events, at the same time: each reads the log and every mirror.
const EXPLAINING_MAX: usize = 8;
/// How long a further one waits.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Leave to ask the mirrors.
#[derive(Debug)]
pub(crate) struct Explaining(Semaphore);

impl Default for Explaining {
    fn default() -> Self {
        Self(Semaphore::new(EXPLAINING_MAX))
    }
}

impl Explaining {
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, AdminError> {
        match timeout(WAIT_MAX, self.0.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(AdminError::Unavailable(
                "too many requests ask the mirrors; try again".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn few_explanations_are_made_at_once() {
        let explaining = Explaining::default();
        let mut entered = Vec::new();
        for _ in 0..EXPLAINING_MAX {
            entered.push(explaining.enter().await.unwrap());
        }
        assert!(matches!(explaining.enter().await, Err(AdminError::Unavailable(_))));
        entered.pop();
        assert!(explaining.enter().await.is_ok());
    }
}

//! Statuses of messages and attempts, as Svix's clients know them.

use deskbell_admin::AttemptResult;
use serde::{Serialize, Serializer};

use super::errors::{ApiError, Part};

/// Whether something was delivered. Nothing of Deskbell's is ever `Canceled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageStatus {
    Success,
    /// It failed, and is tried again.
    Pending,
    /// It failed permanently.
    Fail,
    /// It was not tried yet.
    Sending,
    Canceled,
}

impl MessageStatus {
    const ALL: [Self; 5] =
        [Self::Success, Self::Pending, Self::Fail, Self::Sending, Self::Canceled];

    pub(super) fn number(self) -> u16 {
        match self {
            Self::Success => 0,
            Self::Pending => 1,
            Self::Fail => 2,
            Self::Sending => 3,
            Self::Canceled => 4,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Fail => "fail",
            Self::Sending => "sending",
            Self::Canceled => "canceled",
        }
    }

    pub(super) fn of_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The status that a query asks for.
    pub(super) fn of_query(number: Option<u16>) -> Result<Option<Self>, ApiError> {
        let read = |number| {
            let message = "expected a number from 0 to 4";
            Self::of_number(number).ok_or_else(|| ApiError::invalid(Part::Query, "status", message))
        };
        number.map(read).transpose()
    }

    /// What became of a delivery that is in this state, after so many attempts.
    pub(super) fn of_delivery(state: &str, attempts: usize) -> Self {
        match (state, attempts) {
            ("delivered", _) => Self::Success,
            ("dead_lettered", _) => Self::Fail,
            (_, 0) => Self::Sending,
            _ => Self::Pending,
        }
    }

    /// How an attempt with this status ended; `None` for a status that no attempt has.
    pub(super) fn result(self) -> Option<AttemptResult> {
        match self {
            Self::Success => Some(AttemptResult::Delivered),
            Self::Fail => Some(AttemptResult::Failed),
            Self::Pending | Self::Sending | Self::Canceled => None,
        }
    }
}

impl From<AttemptResult> for MessageStatus {
    fn from(result: AttemptResult) -> Self {
        match result {
            AttemptResult::Delivered => Self::Success,
            AttemptResult::Failed => Self::Fail,
        }
    }
}

impl Serialize for MessageStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_has_a_status() {
        for (state, attempts, expected) in [
            ("delivered", 1, MessageStatus::Success),
            ("pending", 0, MessageStatus::Sending),
            ("pending", 2, MessageStatus::Pending),
            ("dead_lettered", 9, MessageStatus::Fail),
        ] {
            assert_eq!(MessageStatus::of_delivery(state, attempts), expected, "{state}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_clients() {
        let numbers: Vec<_> =
            MessageStatus::ALL.into_iter().map(|status| (status.number(), status.text())).collect();
        let expected =
            [(0, "success"), (1, "pending"), (2, "fail"), (3, "sending"), (4, "canceled")];
        assert_eq!(numbers, expected);
        for (number, _) in numbers {
            assert_eq!(MessageStatus::of_number(number).unwrap().number(), number);
        }
        assert!(MessageStatus::of_query(Some(5)).is_err());
    }
}

//! What was done just now, on the page that is shown after a change. The address names it by a code:
//! nobody can have a page say something else.

use maud::{Markup, html};

use crate::icon::{Icon, icon};
use crate::link;
use crate::number::{count, counted};
use crate::params::Params;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    Paused,
    Resumed,
    Saved,
    Created,
    Deleted,
    HeadersReplaced,
    Rotated,
    Revoked,
    Sent,
    Replayed,
    Retried,
}

const ALL: &[(Notice, &str)] = &[
    (Notice::Paused, "paused"),
    (Notice::Resumed, "resumed"),
    (Notice::Saved, "saved"),
    (Notice::Created, "created"),
    (Notice::Deleted, "deleted"),
    (Notice::HeadersReplaced, "headers"),
    (Notice::Rotated, "rotated"),
    (Notice::Revoked, "revoked"),
    (Notice::Sent, "sent"),
    (Notice::Replayed, "replayed"),
    (Notice::Retried, "retried"),
];

impl Notice {
    fn code(self) -> &'static str {
        ALL.iter().find(|(notice, _)| *notice == self).map_or("", |(_, code)| code)
    }

    /// The address of a page that says this, and how many it was.
    pub(crate) fn at(self, path: &str, number: Option<u64>) -> String {
        let number = number.map(|number| number.to_string());
        let number = number.as_deref().map(|number| ("n", number));
        link::with_query(path, [("done", self.code())].into_iter().chain(number))
    }

    fn text(self, number: u64) -> String {
        match self {
            Self::Paused => "Paused. What is for it is kept until you resume it.".to_owned(),
            Self::Resumed => "Resumed. What is pending follows now.".to_owned(),
            Self::Saved => "Saved. It applies from now on.".to_owned(),
            Self::Created => "Created. It takes events from now on.".to_owned(),
            Self::Deleted => "Deleted.".to_owned(),
            Self::HeadersReplaced => "Headers replaced.".to_owned(),
            Self::Rotated => {
                "Rotated. Requests are signed with the old secret too for 24 hours.".to_owned()
            }
            Self::Revoked => "Revoked. Sessions that it began have ended.".to_owned(),
            Self::Sent => "Sent. This is the event; its first attempt follows at once.".to_owned(),
            Self::Replayed => match number {
                1 => "1 delivery is pending again.".to_owned(),
                _ => format!("{} deliveries are pending again.", count(number)),
            },
            Self::Retried => format!("Retry requested for {}.", counted(number, "dead letter")),
        }
    }
}

/// What the query of a page's address says was done.
pub(crate) fn of(params: &Params) -> Markup {
    let done = params.one("done").and_then(|code| ALL.iter().find(|(_, known)| *known == code));
    html! {
        @if let Some((notice, _)) = done {
            div.notice.good role="status" {
                (icon(Icon::Check)) (notice.text(params.number("n").unwrap_or(0)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_after_a_change_says_what_was_done() {
        for (notice, code) in ALL {
            let url = notice.at("/p", Some(2));
            assert_eq!(url, format!("/p?done={code}&n=2"));
            let params = Params::parse(url.trim_start_matches("/p?").as_bytes()).unwrap();
            assert!(of(&params).into_string().contains(&notice.text(2)));
        }
    }

    #[test]
    fn an_address_cannot_make_a_page_say_something() {
        let params = Params::parse(b"done=Your+account+was+hacked").unwrap();
        assert_eq!(of(&params).into_string(), "");
    }
}

//! Which events a page shows: read from its address, and written into the addresses of its links.

use deskbell_admin::{Caller, DeliveryStateFilter, EventQuery, Timestamp};

use crate::link;
use crate::params::Params;
use crate::time;

/// Events on a page.
pub(crate) const PAGE_EVENTS: u32 = 50;

pub(crate) const PATH: &str = "/dashboard/events";

/// What an address says of events. Each part can be taken out by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) message_id: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) source: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) since: Option<When>,
    pub(crate) until: Option<When>,
    pub(crate) state: Option<DeliveryStateFilter>,
    pub(crate) destination: Option<String>,
}

/// A moment, as an address has it: `24h` ago, or a time of ISO 8601.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) text: String,
    moment: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Ago(i64),
    At(Timestamp),
}

/// A part of a filter, and where it leads to take it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chip {
    pub(crate) label: String,
    pub(crate) without: String,
}

impl When {
    fn parse(text: &str) -> Option<Self> {
        let ago = time::parse_span(text).map(Moment::Ago);
        let moment = ago.or_else(|| time::parse(text).map(Moment::At))?;
        Some(Self { text: text.to_owned(), moment })
    }

    fn exact(moment: Timestamp) -> Self {
        Self { text: moment.to_string(), moment: Moment::At(moment) }
    }

    fn at(&self, now: Timestamp) -> Timestamp {
        match self.moment {
            Moment::Ago(ms) => time::before(now, ms),
            Moment::At(moment) => moment,
        }
    }

    fn words(&self) -> String {
        match self.moment {
            Moment::Ago(_) => format!("{} ago", self.text),
            Moment::At(moment) => format!("{moment}"),
        }
    }
}

impl Filter {
    /// What the address says; without what this caller may not search for.
    pub(crate) fn read(params: &Params, caller: &Caller) -> Self {
        Self {
            message_id: params.owned("id"),
            types: params.all("type").map(str::to_owned).collect(),
            source: params.owned("source"),
            subject: params.owned("subject"),
            text: params.owned("text").filter(|_| caller.sees_payloads()),
            since: params.one("since").and_then(When::parse),
            until: params.one("until").and_then(When::parse),
            state: params.one("state").and_then(state),
            destination: params.owned("destination"),
        }
    }

    pub(crate) fn query(&self, now: Timestamp, before: Option<i64>, limit: u32) -> EventQuery {
        EventQuery {
            message_id: self.message_id.clone(),
            types: self.types.clone(),
            source: self.source.clone(),
            subject: self.subject.clone(),
            text: self.text.clone(),
            since: self.since.as_ref().map(|when| when.at(now)),
            until: self.until.as_ref().map(|when| when.at(now)),
            state: self.state,
            destination: self.destination.clone(),
            before,
            limit,
        }
    }

    /// The same with its times as they are now, and without what is received later.
    pub(crate) fn fixed(&self, now: Timestamp) -> Self {
        let until = self.until.as_ref().map_or(now, |when| when.at(now));
        Self {
            since: self.since.as_ref().map(|when| When::exact(when.at(now))),
            until: Some(When::exact(until)),
            ..self.clone()
        }
    }

    /// Each part, as an address has it.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let mut pairs: Vec<_> = self.types.iter().map(|one| ("type", one.as_str())).collect();
        let rest = [
            ("id", self.message_id.as_deref()),
            ("source", self.source.as_deref()),
            ("subject", self.subject.as_deref()),
            ("text", self.text.as_deref()),
            ("since", self.since.as_ref().map(|when| when.text.as_str())),
            ("until", self.until.as_ref().map(|when| when.text.as_str())),
            ("state", self.state.map(state_code)),
            ("destination", self.destination.as_deref()),
        ];
        pairs.extend(rest.into_iter().filter_map(|(name, value)| Some((name, value?))));
        pairs
    }

    /// The address of a page with this filter, and more.
    pub(crate) fn url(&self, path: &str, more: &[(&str, &str)]) -> String {
        let pairs = self.pairs();
        link::with_query(path, pairs.iter().copied().chain(more.iter().copied()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every part can be decided by an event alone, as it comes.
    pub(crate) fn can_be_followed(&self) -> bool {
        let followed = Self {
            types: self.types.clone(),
            source: self.source.clone(),
            subject: self.subject.clone(),
            ..Self::default()
        };
        *self == followed
    }

    pub(crate) fn chips(&self) -> Vec<Chip> {
        let pairs = self.pairs();
        let chip = |(index, (name, value)): (usize, &(&'static str, &str))| {
            let others = pairs.iter().enumerate().filter(|(other, _)| *other != index);
            Chip {
                label: format!("{}: {}", label(name), self.words(name, value)),
                without: link::with_query(PATH, others.map(|(_, pair)| *pair)),
            }
        };
        pairs.iter().enumerate().map(chip).collect()
    }

    fn words(&self, name: &str, value: &str) -> String {
        let when = match name {
            "since" => self.since.as_ref(),
            "until" => self.until.as_ref(),
            _ => None,
        };
        when.map_or_else(|| value.replace("dead_lettered", "dead-lettered"), When::words)
    }
}

fn label(name: &str) -> &str {
    match name {
        "text" => "payload contains",
        "since" => "received since",
        "until" => "received before",
        name => name,
    }
}

fn state(text: &str) -> Option<DeliveryStateFilter> {
    match text {
        "pending" => Some(DeliveryStateFilter::Pending),
        "dead_lettered" => Some(DeliveryStateFilter::DeadLettered),
        _ => None,
    }
}

pub(crate) fn state_code(state: DeliveryStateFilter) -> &'static str {
    match state {
        DeliveryStateFilter::Pending => "pending",
        DeliveryStateFilter::DeadLettered => "dead_lettered",
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::TokenRole;

    use super::*;

    const WHOLE: &str = "type=user.*&type=session.created&id=msg_1&source=clerk&subject=user_%2F1\
        &text=a%26b+%3Cc%3E&since=24h&until=2026-11-21T08%3A00&state=dead_lettered&destination=app";

    fn caller(role: TokenRole) -> Caller {
        Caller { name: "test".to_owned(), role }
    }

    fn read(query: &str) -> Filter {
        Filter::read(&Params::parse(query.as_bytes()), &caller(TokenRole::Reader))
    }

    #[test]
    fn an_address_says_all_of_a_filter() {
        let filter = read(WHOLE);
        let url = filter.url(PATH, &[]);
        let (_, query) = url.split_once('?').unwrap();
        assert_eq!(read(query), filter);
        assert_eq!(filter.text.as_deref(), Some("a&b <c>"));
        let now = Timestamp(1_795_248_000_000);
        let events = filter.query(now, Some(9), 50);
        assert_eq!(events.since, Some(Timestamp(1_795_248_000_000 - 24 * 3_600_000)));
        assert_eq!((events.until, events.before), (Some(now), Some(9)));
    }

    #[test]
    fn each_chip_takes_out_its_own_part() {
        let filter = read(WHOLE);
        let chips = filter.chips();
        assert_eq!(chips.len(), 10);
        for chip in &chips {
            let (_, query) = chip.without.split_once('?').unwrap();
            assert_eq!(read(query).pairs().len(), 9, "{chip:?}");
        }
        let last = read("subject=user_1").chips();
        assert_eq!(last[0].without, PATH);
        assert_eq!(last[0].label, "subject: user_1");
    }

    #[test]
    fn a_fixed_filter_finds_the_same_later() {
        let now = Timestamp(1_795_248_000_000);
        let fixed = read("since=1h").fixed(now);
        let later = read(fixed.url("", &[]).trim_start_matches('?'));
        let query = later.query(Timestamp(now.0 + 9_999), None, 50);
        assert_eq!((query.since, query.until), (Some(time::before(now, 3_600_000)), Some(now)));
    }

    #[test]
    fn a_viewer_does_not_search_in_payloads() {
        let params = Params::parse(b"text=ada&type=user.*");
        let filter = Filter::read(&params, &caller(TokenRole::Viewer));
        assert_eq!((filter.text, filter.types.len()), (None, 1));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(read("since=soon&until=&state=lost&type="), Filter::default());
        assert!(read("type=user.*&subject=user_1").can_be_followed());
        assert!(!read("type=user.*&since=1h").can_be_followed());
    }
}

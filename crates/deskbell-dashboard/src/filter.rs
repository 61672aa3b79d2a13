//! Which events a page shows: read from its address, and written into the addresses of its links.

use deskbell_admin::{Caller, DeliveryStateFilter, EventQuery, Timestamp};

use crate::link;
use crate::params::Params;
use crate::reply::Failure;
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

/// Why an address is no filter, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongFilter(pub(crate) String);

impl From<WrongFilter> for Failure {
    fn from(wrong: WrongFilter) -> Self {
        Self::BadRequest(wrong.0)
    }
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
        let moment = ago.or_else(|| text.parse().ok().map(Moment::At))?;
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
    /// What the address says. An address that cannot be read in full is refused, since a filter
    /// without one of its parts finds more than was asked for.
    pub(crate) fn read(params: &Params, caller: &Caller) -> Result<Self, WrongFilter> {
        let filter = Self {
            message_id: params.owned("id"),
            types: params.all("type").map(str::to_owned).collect(),
            source: params.owned("source"),
            subject: params.owned("subject"),
            text: params.owned("text"),
            since: when(params, "since")?,
            until: when(params, "until")?,
            state: params.one("state").map(state).transpose()?,
            destination: params.owned("destination"),
        };
        if filter.text.is_some() && !caller.sees_payloads() {
            let message = "Searching in payloads needs a token of the role reader.";
            return Err(WrongFilter(message.to_owned()));
        }
        if filter.destination.is_some() && filter.state.is_none() {
            let message = "A destination needs a state of its deliveries: choose one under \
                Deliveries, or leave Destination empty.";
            return Err(WrongFilter(message.to_owned()));
        }
        Ok(filter)
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
            // A destination without a state is no filter.
            let goes_too = |other: &str| *name == "state" && other == "destination";
            let others = pairs.iter().enumerate();
            let others = others.filter(|(at, (other, _))| *at != index && !goes_too(other));
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
            "state" => return value.replace('_', "-"),
            _ => None,
        };
        when.map_or_else(|| value.to_owned(), When::words)
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

fn when(params: &Params, name: &str) -> Result<Option<When>, WrongFilter> {
    let Some(text) = params.one(name) else { return Ok(None) };
    let unreadable = || {
        WrongFilter(format!(
            "`{name}`: expected a time such as 2026-11-21T08:00 or a span such as 24h, found `{text}`."
        ))
    };
    When::parse(text).map(Some).ok_or_else(unreadable)
}

fn state(text: &str) -> Result<DeliveryStateFilter, WrongFilter> {
    [DeliveryStateFilter::Pending, DeliveryStateFilter::DeadLettered]
        .into_iter()
        .find(|state| state_code(*state) == text)
        .ok_or_else(|| {
            let message = format!("`state`: expected pending or dead_lettered, found `{text}`.");
            WrongFilter(message)
        })
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

    fn try_read(query: &str, role: TokenRole) -> Result<Filter, WrongFilter> {
        Filter::read(&Params::parse(query.as_bytes()).unwrap(), &caller(role))
    }

    fn read(query: &str) -> Filter {
        try_read(query, TokenRole::Reader).unwrap()
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
            let takes_two = chip.label.starts_with("state: ");
            let left = if takes_two { 8 } else { 9 };
            assert_eq!(read(query).pairs().len(), left, "{chip:?}");
        }
        let last = read("subject=user_1").chips();
        assert_eq!(last[0].without, PATH);
        assert_eq!(last[0].label, "subject: user_1");
        let chips = read("type=dead_lettered&state=dead_lettered").chips();
        let labels: Vec<_> = chips.iter().map(|chip| chip.label.as_str()).collect();
        assert_eq!(labels, ["type: dead_lettered", "state: dead-lettered"]);
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
    fn what_cannot_be_read_or_searched_for_is_refused() {
        for (query, named) in [
            ("since=soon", "`since`: expected a time"),
            ("until=2026-13-01", "found `2026-13-01`"),
            ("state=lost", "`state`: expected pending or dead_lettered"),
            ("type=user.*&destination=crm", "A destination needs a state"),
        ] {
            let wrong = try_read(query, TokenRole::Admin).unwrap_err();
            assert!(wrong.0.contains(named), "{query}: {wrong:?}");
        }
        assert!(try_read("text=ada", TokenRole::Viewer).is_err());
        assert_eq!(read("since=+&until=&state=&type="), Filter::default());
    }

    #[test]
    fn what_an_event_alone_decides_can_be_followed() {
        assert!(read("type=user.*&subject=user_1").can_be_followed());
        assert!(!read("type=user.*&since=1h").can_be_followed());
    }
}

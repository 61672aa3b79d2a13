//! Who takes part in a sample: its person, organization and ids are replaced by others, all of which
//! follow from one seed, and its times by those of now.

use std::collections::{BTreeMap, HashMap};

use deskbell_sim::entity_id;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Number, Value};

/// 2026-01-01T00:00:00Z: the time in the ids of a seed, which are the same whenever they are made.
const SEEDED_IDS_AT_MS: i64 = 1_767_225_600_000;
/// Numbers of the samples from here on are times in milliseconds.
const FIRST_TIME_MS: i64 = 1_500_000_000_000;
/// What every application has once: its instance, its plans and who is paid.
const KEPT_PREFIXES: [&str; 3] = ["ins", "cplan", "cpayee"];
/// Characters of an id behind its prefix.
const ID_CHARS: usize = 27;

const FIRST_NAMES: &[&str] = &[
    "Ada", "Amara", "Bruno", "Chen", "Dalia", "Elif", "Emeka", "Freya", "Hana", "Ines", "Jonas",
    "Kofi", "Leila", "Mateo", "Noor", "Oscar", "Priya", "Rosa", "Samir", "Yuki",
];
const LAST_NAMES: &[&str] = &[
    "Abara", "Bianchi", "Castro", "Dubois", "Eriksen", "Farouk", "Goldberg", "Haddad", "Ivanova",
    "Jensen", "Kimura", "Lovelace", "Moreau", "Novak", "Okafor", "Park", "Rossi", "Silva",
    "Tanaka", "Weber",
];
const COMPANY_NAMES: &[&str] = &[
    "Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Lumen",
    "Maple", "North", "Orchid", "Pine", "Quartz", "River", "Slate", "Tidal", "Umbra", "Willow",
];
const COMPANY_KINDS: &[&str] =
    &["Bakery", "Books", "Clinic", "Coffee", "Energy", "Foods", "Labs", "Media", "Studio", "Works"];

/// The people, organizations and ids that stand in for those of the samples.
#[derive(Debug)]
pub(crate) struct Cast {
    seed: u64,
    ids_at_ms: i64,
    words: Vec<(&'static str, String)>,
    first_name: String,
    ids: HashMap<String, String>,
    /// When what the samples say of a moment happened.
    times: BTreeMap<i64, i64>,
}

impl Cast {
    /// A cast of nobody's choice.
    #[must_use]
    pub(crate) fn random(now_ms: i64) -> Self {
        Self::new(rand::rng().random(), now_ms)
    }

    /// The cast of this seed, always the same.
    #[must_use]
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self::new(seed, SEEDED_IDS_AT_MS)
    }

    fn new(seed: u64, ids_at_ms: i64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut pick = |pool: &[&'static str]| pool.choose(&mut rng).copied().unwrap_or_default();
        let [first, other_first] = [pick(FIRST_NAMES), pick(FIRST_NAMES)];
        let [last, other_last] = [pick(LAST_NAMES), pick(LAST_NAMES)];
        let (company, kind) = (pick(COMPANY_NAMES), pick(COMPANY_KINDS));
        let number = rng.random_range(100..10_000);
        let lower = str::to_ascii_lowercase;
        let address = |first, last| format!("{}.{}{number}", lower(first), lower(last));
        let words = vec![
            ("mira.lindqvist", address(first, last)),
            ("tomas.aguirre", address(other_first, other_last)),
            ("Mira", first.to_owned()),
            ("Lindqvist", last.to_owned()),
            ("Juniper Freight", format!("{company} {kind} {number}")),
            ("juniper-freight", format!("{}-{}-{number}", lower(company), lower(kind))),
            ("juniperfreight", format!("{}{}{number}", lower(company), lower(kind))),
            ("mira@", format!("{}@", lower(first))),
            ("crm-20417", format!("crm-{}", rng.random_range(10_000..100_000))),
            ("5555550142", format!("555555{number:04}")),
        ];
        let first_name = lower(first);
        Self { seed, ids_at_ms, words, first_name, ids: HashMap::new(), times: BTreeMap::new() }
    }

    /// The sample as an event of this cast that happens now.
    #[must_use]
    pub(crate) fn play(&mut self, sample: &Value, now_ms: i64) -> Value {
        let happened = sample["timestamp"].as_i64().unwrap_or(now_ms);
        self.value(sample, now_ms - happened, happened)
    }

    fn value(&mut self, value: &Value, later_ms: i64, happened: i64) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Number(number) => self.number(number, later_ms, happened),
            Value::Array(list) => {
                list.iter().map(|value| self.value(value, later_ms, happened)).collect()
            }
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value, later_ms, happened)))
                .collect(),
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        if let Some(prefix) = id_prefix(text) {
            if KEPT_PREFIXES.contains(&prefix) {
                return text.to_owned();
            }
            return self.id(prefix, text);
        }
        if text == "mira" {
            return self.first_name.clone();
        }
        let replace = |text: String, (word, other): &(&str, String)| text.replace(word, other);
        self.words.iter().fold(text.to_owned(), replace)
    }

    /// The id that stands in for this one, whichever sample names it first.
    fn id(&mut self, prefix: &str, text: &str) -> String {
        let (seed, at_ms) = (self.seed, self.ids_at_ms);
        let make = || {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(hash(text));
            entity_id(&format!("{prefix}_"), at_ms, &mut rng)
        };
        self.ids.entry(text.to_owned()).or_insert_with(make).clone()
    }

    /// A time of the sample, later by as much as the event is. What an earlier event has told of the
    /// past stays as it was told.
    fn number(&mut self, number: &Number, later_ms: i64, happened: i64) -> Value {
        let Some(ms) = number.as_i64().filter(|&ms| ms >= FIRST_TIME_MS) else {
            return number.clone().into();
        };
        if ms > happened {
            return (ms + later_ms).into();
        }
        if let Some(&told) = self.times.get(&ms) {
            return told.into();
        }
        let earliest = self.times.range(..ms).next_back().map_or(i64::MIN, |(_, &told)| told);
        let at = (ms + later_ms).max(earliest);
        self.times.insert(ms, at);
        at.into()
    }
}

/// The prefix of a text that is an id: `user` of `user_3BqB…`.
fn id_prefix(text: &str) -> Option<&str> {
    let (prefix, rest) = text.rsplit_once('_')?;
    let is_id = rest.len() == ID_CHARS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(prefix)
}

/// FNV-1a, which is the same in every version of the program.
pub(crate) fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, fold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::sample;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn played(cast: &mut Cast, event_type: &str) -> Value {
        cast.play(&sample(event_type).unwrap(), NOW_MS)
    }

    #[test]
    fn a_seed_has_the_same_person_whatever_is_told_of_them_first() {
        let created = played(&mut Cast::of_seed(7), "user.created");
        let mut later = Cast::of_seed(7);
        let membership = played(&mut later, "organizationMembership.created");
        let user = &membership["data"]["public_user_data"];
        assert_eq!(user["user_id"], created["data"]["id"]);
        assert_eq!(user["first_name"], created["data"]["first_name"]);
        assert_eq!(user["identifier"], created["data"]["email_addresses"][0]["email_address"]);
        let other = played(&mut Cast::of_seed(8), "user.created");
        assert_ne!(other["data"]["id"], created["data"]["id"]);
    }

    #[test]
    fn nobody_of_the_samples_is_left_and_the_instance_is() {
        for entry in clerk_webhooks::catalog::all() {
            let event_type = entry.event_type.as_str();
            let text = played(&mut Cast::random(NOW_MS), event_type).to_string();
            for word in ["Mira", "mira", "Lindqvist", "uniper", "aguirre", "user_3BqB"] {
                assert!(!text.contains(word), "{event_type}: {word} in {text}");
            }
            assert!(text.contains("ins_2wLvlsOPrvbwfeGLc0Ti1kGvfrN"), "{event_type}");
        }
    }

    #[test]
    fn ids_have_the_form_of_clerks() {
        let event = played(&mut Cast::random(NOW_MS), "subscriptionItem.active");
        let id = event["data"]["id"].as_str().unwrap();
        assert_eq!(id_prefix(id), Some("csub_item"), "{id}");
    }

    #[test]
    fn it_happens_now_and_what_was_told_stays() {
        let mut cast = Cast::of_seed(1);
        let created = played(&mut cast, "user.created");
        assert_eq!(created["timestamp"], NOW_MS);
        let session = cast.play(&sample("session.created").unwrap(), NOW_MS + 5_000);
        assert_eq!(session["timestamp"], NOW_MS + 5_000);
        let user = &session["data"]["user"];
        assert_eq!(user["created_at"], created["data"]["created_at"]);
        let signed_in = user["last_active_at"].as_i64().unwrap();
        assert!(signed_in >= created["data"]["created_at"].as_i64().unwrap(), "{user}");
        assert!(session["data"]["expire_at"].as_i64().unwrap() > NOW_MS + 86_400_000);
    }
}

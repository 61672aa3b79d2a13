//! What people and companies call themselves: the names that trip up handlers are among the plain ones.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Grace",
    "Linus",
    "Zoë",
    "Łukasz",
    "Nguyễn",
    "李",
    "अनन्या",
    "محمد",
    "Ñusta",
    "Søren",
    "Jean-Luc",
    "Anna Maria",
    "O'Neil",
    "Ιωάννα",
    "Ольга",
    "さくら",
    "José",
    "🦀 Ferris",
    "Иван",
];

const LAST_NAMES: &[&str] = &[
    "Lovelace",
    "Hopper",
    "Torvalds",
    "Müller",
    "O'Connor",
    "García Márquez",
    "王",
    "Åkesson",
    "de la Cruz",
    "Şahin",
    "Kowalska",
    "Nakamura",
    "Al-Sayed",
    "Smith",
    "van 't Hoff",
    "Dvořák",
    "Null",
    "Fitzgerald-Smythe",
    "Iyer",
    "김",
];

const COMPANIES: &[&str] = &[
    "Acme",
    "R&D <Core>",
    "Größenwahn GmbH",
    "Société Générique",
    "株式会社サンプル",
    "Initech",
    "Smith & Sons",
    "\"Quoted\" Holdings",
    "Umbrella",
    "Back\\slash Labs",
    "Ooo 🚀",
    "Globex",
];

const DOMAINS: &[&str] =
    &["example.com", "example.org", "mail.example.net", "xn--bcher-kva.example", "corp.example"];

const LOCALES: &[&str] = &["en-US", "de-DE", "fr-FR", "ja-JP", "pt-BR", "ar"];

pub(crate) fn first_name(rng: &mut ChaCha8Rng) -> String {
    pick(FIRST_NAMES, rng).to_owned()
}

pub(crate) fn last_name(rng: &mut ChaCha8Rng) -> String {
    pick(LAST_NAMES, rng).to_owned()
}

/// A company's name and the slug that Clerk would make for it.
pub(crate) fn company(rng: &mut ChaCha8Rng) -> (String, String) {
    let number = rng.random_range(1..10_000);
    let name = format!("{} {number}", pick(COMPANIES, rng));
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    (name, format!("{}-{}", slug.trim_matches('-'), rng.random_range(1_700_000_000..1_800_000_000)))
}

pub(crate) fn email_address(rng: &mut ChaCha8Rng) -> String {
    let plus = if rng.random_bool(0.1) { "+clerk" } else { "" };
    format!("person{}{plus}@{}", rng.random_range(1..10_000_000), pick(DOMAINS, rng))
}

pub(crate) fn phone_number(rng: &mut ChaCha8Rng) -> String {
    format!("+1555{:07}", rng.random_range(0..10_000_000))
}

pub(crate) fn username(rng: &mut ChaCha8Rng) -> String {
    format!("user_{:06x}", rng.random_range(0..0x100_0000))
}

pub(crate) fn locale(rng: &mut ChaCha8Rng) -> String {
    pick(LOCALES, rng).to_owned()
}

/// One of a pool's entries; an empty pool has only the empty text.
pub(crate) fn pick(pool: &[&'static str], rng: &mut ChaCha8Rng) -> &'static str {
    pool.choose(rng).copied().unwrap_or_default()
}

//! The texts of `compose.yaml` and of the systemd unit.

use super::choices::Compose;
use super::templates::{COMPOSE, SERVICE, filled};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// Ends the lines of the template that are for PostgreSQL.
const POSTGRES: &str = "  #postgres";

pub(super) fn compose(compose: Compose) -> String {
    let with_postgres = compose == Compose::WithPostgres;
    let kept = COMPOSE.lines().filter_map(|line| match line.strip_suffix(POSTGRES) {
        Some(line) => with_postgres.then_some(line),
        None => Some(line),
    });
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    let with = if with_postgres { "with PostgreSQL and" } else { "with" };
    let text = filled(&text, &[("WITH", with), ("REPOSITORY", REPOSITORY)]);
    // Without PostgreSQL, what came before it ends with two empty lines.
    text.replace("\n\n\n", "\n\n")
}

pub(super) fn systemd() -> String {
    filled(SERVICE, &[("REPOSITORY", REPOSITORY)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn services(text: &str) -> BTreeSet<String> {
        let parsed: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        let volumes = parsed["volumes"].as_object().unwrap();
        let services = parsed["services"].as_object().unwrap();
        assert_eq!(volumes.len(), services.len(), "{text}");
        assert!(!text.contains('@') || text.contains("@postgres/"), "{text}");
        services.keys().cloned().collect()
    }

    #[test]
    fn compose_has_postgresql_only_if_it_is_asked_for() {
        let all = ["deskbell", "postgres"].map(str::to_owned);
        assert_eq!(services(&compose(Compose::WithPostgres)), BTreeSet::from(all.clone()));
        let alone = compose(Compose::Deskbell);
        assert_eq!(services(&alone), BTreeSet::from([all[0].clone()]));
        assert!(!alone.contains("postgres") && !alone.contains("depends_on"), "{alone}");
    }

    #[test]
    fn every_line_of_the_unit_is_a_setting_in_a_section() {
        let unit = systemd();
        let lines = unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            assert!(line.contains('=') || line.starts_with('['), "{line}");
        }
        assert!(!unit.contains("@REPOSITORY@"));
    }
}

//! Migrations only grow: a step that stores have been through is never changed.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Each step, and the first eight bytes of its SHA-256.
const STEPS: &[(&str, u64)] = &[
    ("sqlite/migrations/0001_event_log.sql", 0x8884_0471_019b_4a85),
    ("sqlite/migrations/0002_deliveries.sql", 0x65f7_674a_c669_8d40),
    ("sqlite/migrations/0003_upkeep.sql", 0x3efa_66f4_a077_7d69),
    ("sqlite/migrations/0004_subjects.sql", 0x17d5_a40b_0ffa_ab07),
    ("sqlite/migrations/0005_consumer_reports.sql", 0xd637_c505_7fdd_5586),
    ("sqlite/migrations/0006_source_instances.sql", 0x148f_33cc_b18d_7467),
    ("sqlite/migrations/0007_refused_requests.sql", 0x6a17_8bc8_b43b_4774),
    ("sqlite/migrations/0008_failed_attempts.sql", 0x232b_ba9f_e2b5_1427),
    ("sqlite/migrations/0009_access_tokens.sql", 0x483c_457d_278d_e9af),
    ("sqlite/migrations/0010_origins.sql", 0x1ec3_8e30_befe_ccc6),
    ("sqlite/migrations/0011_audit_log.sql", 0x881d_2276_3366_3030),
    ("sqlite/migrations/0012_browser_sessions.sql", 0xcb89_19b7_b969_61fa),
    ("sqlite/migrations/0013_endpoints.sql", 0x2075_b0e9_9621_83a0),
    ("sqlite/migrations/0014_command_progress.sql", 0x011f_ee6f_e4ce_6cc5),
    ("sqlite/migrations/0015_paused_mirrors.sql", 0xec83_c6c5_779b_7a79),
    ("sqlite/migrations/0016_packed_payloads.sql", 0x7307_cc91_528e_0aa6),
    ("postgres/migrations/0001_event_log.sql", 0x937e_bbfb_c062_7a9a),
    ("postgres/migrations/0002_deliveries.sql", 0x0aef_68bf_a6fd_d56e),
    ("postgres/migrations/0003_pending.sql", 0xf30e_2749_b010_436f),
    ("postgres/migrations/0004_transfers.sql", 0x69f5_922a_3bcc_1c38),
    ("postgres/migrations/0005_upkeep.sql", 0xbd37_c6bb_3ef8_08dd),
    ("postgres/migrations/0006_subjects.sql", 0x3bad_48a9_fba5_e97b),
    ("postgres/migrations/0007_consumer_reports.sql", 0x9a08_321e_feee_5131),
    ("postgres/migrations/0008_erasure_in_its_source.sql", 0xd22d_72d6_2e82_92d0),
    ("postgres/migrations/0009_source_instances.sql", 0xc45b_b576_dd03_cbcc),
    ("postgres/migrations/0010_refused_requests.sql", 0x11a8_844a_844f_48f3),
    ("postgres/migrations/0011_failed_attempts.sql", 0xdfc5_aaa0_9932_c5b9),
    ("postgres/migrations/0012_access_tokens.sql", 0x89b4_8019_7f10_ce19),
    ("postgres/migrations/0013_origins.sql", 0x13c7_3c64_140b_d72d),
    ("postgres/migrations/0014_audit_log.sql", 0x4226_7db5_2cca_40bb),
    ("postgres/migrations/0015_browser_sessions.sql", 0x1fa7_ed55_f53b_a404),
    ("postgres/migrations/0016_endpoints.sql", 0x1c52_bf0d_4237_f8f4),
    ("postgres/migrations/0017_command_progress.sql", 0x202b_eef5_322f_b930),
    ("postgres/migrations/0018_removed_destinations.sql", 0x0637_e80b_3c0c_f9e1),
    ("postgres/migrations/0019_lists.sql", 0xc871_7c5f_ab00_47cd),
    ("postgres/migrations/0020_erasure_by_messages.sql", 0x96f4_e57e_c4f0_5129),
    ("postgres/migrations/0021_paused_mirrors.sql", 0xfdcf_8387_ba9f_c38f),
    ("postgres/migrations/0022_packed_payloads.sql", 0x9f8b_e076_dedd_8d6c),
];

#[test]
fn no_step_has_changed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (step, known) in STEPS {
        let digest = Sha256::digest(fs::read(source.join(step)).unwrap());
        let found = u64::from_be_bytes(std::array::from_fn(|index| digest[index]));
        assert_eq!(found, *known, "{step} has changed; add another step instead: {found:#x}");
    }
    let files = ["sqlite", "postgres"].map(|store| source.join(store).join("migrations"));
    let files = files.iter().flat_map(|steps| fs::read_dir(steps).unwrap());
    assert_eq!(files.count(), STEPS.len(), "each step is listed");
}

//! What the commands read from the environment: nothing else does.

/// The variable that tells tests where the server is.
pub(crate) const TEST_POSTGRES: &str = "DESKBELL_TEST_POSTGRES";

/// Whether this is a continuous-integration run (`CI=true`), in which nothing may be left out.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// The PostgreSQL server that tests shall use, if one is named.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn test_postgres() -> Option<String> {
    std::env::var(TEST_POSTGRES).ok().filter(|url| !url.is_empty())
}

/// A variable that is passed on, where it is set.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The cargo that runs this command, so that `cargo +toolchain xtask` stays on its toolchain.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

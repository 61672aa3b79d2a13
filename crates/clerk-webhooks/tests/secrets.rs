//! Secrets as people paste them, and as the environment holds them.

use clerk_webhooks::{
    FromEnvError, HeaderFamily, Secret, SecretError, SecretListError, Signer, Verifier,
};

const PADDED: &str = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=";
const API_KEY: SecretError = SecretError::ApiKey { prefix: "sk_" };

/// Whether both sign alike.
fn is_same(a: &Secret, b: &Secret) -> bool {
    let sign = |secret| Signer::new(secret).unwrap().sign("msg_1", 1, b"{}");
    sign(a) == sign(b)
}

#[test]
fn harmless_slips_are_mended() {
    let expected = Secret::parse(PADDED).unwrap();
    for text in [
        "b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=",
        "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI",
        "b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI",
        "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=\n",
        "  whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=\r\n",
    ] {
        assert!(is_same(&Secret::parse(text).unwrap(), &expected), "{text:?}");
        assert!(is_same(&text.parse().unwrap(), &expected), "{text:?}");
    }
    assert!(is_same(&Secret::from_bytes(*b"other other other other").unwrap(), &expected));
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("", SecretError::Empty),
        (" \n", SecretError::Empty),
        ("whsec_", SecretError::Empty),
        ("sk_test_abc", API_KEY),
        ("sk_live_abc", API_KEY),
        ("pk_test_abc", SecretError::ApiKey { prefix: "pk_" }),
        ("\"whsec_b3RoZXI=\"", SecretError::Quoted),
        ("'whsec_b3RoZXI='", SecretError::Quoted),
        ("whsec_b3RoZXI=\"", SecretError::Quoted),
        ("“whsec_b3RoZXI=”", SecretError::Quoted),
        ("\"sk_test_abc\"", SecretError::Quoted),
        ("whsec_-_-_", SecretError::UrlSafe),
        ("whsec_...", SecretError::NotBase64),
        ("whsec_b3RoZ XI=", SecretError::NotBase64),
        ("whsec_b3RoZ", SecretError::NotBase64),
        ("https://hooks.example.com/", SecretError::NotBase64),
    ];
    for (text, expected) in cases {
        assert_eq!(Secret::parse(text).unwrap_err(), expected, "{text:?}");
    }
    assert_eq!(Secret::from_bytes([]).unwrap_err(), SecretError::Empty);
}

#[test]
fn no_error_repeats_the_secret() {
    for text in ["whsec_abcdefgh?", "'abcdefgh'", "sk_live_abcdefgh", "whpk_abcdefgh", "abcdefgh-_"]
    {
        let error = Secret::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("abcdefgh"), "{error}");
    }
}

#[test]
fn a_list_is_separated_by_spaces_or_commas() {
    for text in ["whsec_b25l whsec_dHdv", "whsec_b25l,whsec_dHdv", " whsec_b25l ,\n whsec_dHdv, "] {
        let list = Secret::parse_list(text).unwrap();
        assert_eq!(list.len(), 2, "{text:?}");
        assert!(is_same(&list[0], &Secret::parse("b25l").unwrap()), "{text:?}");
    }
    let error = Secret::parse_list("whsec_b25l sk_test_x").unwrap_err();
    assert_eq!(error, SecretListError { position: 2, source: API_KEY });
    let error = Secret::parse_list(" , ").unwrap_err();
    assert_eq!(error, SecretListError { position: 1, source: SecretError::Empty });
}

fn from_vars(
    vars: &[(&str, &str)],
) -> Result<(usize, &'static str, Option<&'static str>), FromEnvError> {
    let found = Secret::list_from_vars(|name| {
        vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned())
    })?;
    Ok((found.secrets.len(), found.variable, found.ignored))
}

#[test]
fn either_variable_will_do_and_the_newer_name_goes_first() {
    let (new, old) = ("CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET");
    let cases: [(&[_], _); 6] = [
        (&[(new, "whsec_b25l")], (1, new, None)),
        (&[(new, "whsec_b25l whsec_dHdv")], (2, new, None)),
        (&[(old, "whsec_b25l")], (1, old, None)),
        (&[(new, " "), (old, "whsec_b25l")], (1, old, None)),
        (&[(new, "whsec_b25l"), (old, "b25l\n")], (1, new, None)),
        (&[(new, "whsec_b25l"), (old, "")], (1, new, None)),
    ];
    for (vars, expected) in cases {
        assert_eq!(from_vars(vars).unwrap(), expected, "{vars:?}");
    }
}

#[test]
fn a_variable_that_says_something_else_is_reported() {
    let (new, old) = ("CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET");
    for other in ["whsec_dHdv", "whsec_b25l whsec_dHdv", "nonsense?"] {
        assert_eq!(from_vars(&[(new, "whsec_b25l"), (old, other)]).unwrap(), (1, new, Some(old)));
    }
}

#[test]
fn a_missing_variable_points_at_the_name_that_was_meant() {
    let not_set = |blank, instead| FromEnvError::NotSet { blank, instead };
    let blank = Some("CLERK_WEBHOOK_SIGNING_SECRET");
    let cases: [(&[_], _, _); 4] = [
        (&[], not_set(None, None), "CLERK_WEBHOOK_SIGNING_SECRET is not set: set CLERK_WEBHOOK"),
        (
            &[("WEBHOOK_SECRET", "x")],
            not_set(None, Some("WEBHOOK_SECRET")),
            "CLERK_WEBHOOK_SIGNING_SECRET is not set: rename WEBHOOK_SECRET, which is set, to CLERK",
        ),
        (
            &[("SIGNING_SECRET", "x")],
            not_set(None, Some("SIGNING_SECRET")),
            "CLERK_WEBHOOK_SIGNING_SECRET is not set: rename SIGNING_SECRET",
        ),
        (
            &[("CLERK_WEBHOOK_SIGNING_SECRET", "")],
            not_set(blank, None),
            "CLERK_WEBHOOK_SIGNING_SECRET is set, but blank: set",
        ),
    ];
    for (vars, expected, text) in cases {
        let error = from_vars(vars).unwrap_err();
        assert_eq!(error, expected, "{vars:?}");
        assert!(error.to_string().starts_with(text), "{error}");
    }
}

#[test]
fn a_variable_that_holds_something_else_is_an_error() {
    let variable = "CLERK_WEBHOOK_SIGNING_SECRET";
    // The older variable does not stand in for a newer one that is wrong.
    let error = from_vars(&[(variable, "sk_test_x"), ("CLERK_WEBHOOK_SECRET", "whsec_b25l")]);
    let expected = FromEnvError::Malformed { variable, position: 1, source: API_KEY };
    assert_eq!(error.unwrap_err(), expected);
}

#[test]
fn one_secret_verifies_what_its_other_spelling_signed() {
    let headers = Signer::new(&Secret::parse("b25l").unwrap()).unwrap().sign("msg_1", 1, b"{}");
    let headers = headers.to_map(HeaderFamily::Svix).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH;
    let verifier = Verifier::new(Secret::parse(" whsec_b25l ").unwrap());
    assert!(verifier.verify(&headers, b"{}", now).is_ok());
}

//! The login that Clerk gives: an address whose fragment names the application and has a one-time token.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::error::LinkError;
use crate::object_id::checked;
use crate::token::Token;

/// Bytes of a region's name.
const REGION_BYTES_MAX: usize = 16;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an address says. Region and application were checked: addresses and paths are made of them.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) app_id: String,
    pub(crate) region: String,
    pub(crate) one_time_token: Token,
}

#[derive(Deserialize)]
struct Answer {
    svix_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    app_id: String,
    region: String,
    one_time_token: String,
}

impl Link {
    /// Reads what Clerk answered.
    pub(crate) fn of_answer(json: &[u8]) -> Result<Self, LinkError> {
        let answer: Answer = serde_json::from_slice(json).map_err(|_| LinkError::NoUrl)?;
        Self::parse(&Zeroizing::new(answer.svix_url))
    }

    fn parse(svix_url: &str) -> Result<Self, LinkError> {
        let url = Url::parse(svix_url).map_err(|_| LinkError::NoKey)?;
        let mut parameters = form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
        let (_, key) = parameters.find(|(name, _)| name == "key").ok_or(LinkError::NoKey)?;
        // An unescaped `+` is read as a space; both alphabets of base64 are taken.
        let key = Zeroizing::new(key.replace([' ', '+'], "-").replace('/', "_"));
        let json = Zeroizing::new(BASE64.decode(key.as_bytes()).map_err(|_| LinkError::Key)?);
        let key: Key = serde_json::from_slice(&json).map_err(|_| LinkError::Key)?;
        let one_time_token = Token::parse(key.one_time_token).ok_or(LinkError::OneTimeToken)?;
        if !is_region(&key.region) {
            return Err(LinkError::Region);
        }
        if checked(&key.app_id).is_err() {
            return Err(LinkError::AppId);
        }
        Ok(Self { app_id: key.app_id, region: key.region, one_time_token })
    }
}

fn is_region(text: &str) -> bool {
    let is_of_region =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=REGION_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_of_region)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn link(json: &str) -> Result<Link, LinkError> {
        Link::parse(&format!("https://app.svix.com/login#key={}", URL_SAFE_NO_PAD.encode(json)))
    }

    #[test]
    fn the_key_of_the_fragment_is_read() {
        // Its base64 has the letters in which the alphabets differ.
        let json = r#"{"appId":"app_1","oneTimeToken":"a?>~?","region":"eu","more":"?>?>"}"#;
        for key in [URL_SAFE.encode(json), URL_SAFE_NO_PAD.encode(json), STANDARD.encode(json)] {
            for fragment in [format!("key={key}"), format!("a=b&key={key}&c")] {
                let answer = format!(r#"{{"svix_url": "https://app.svix.com/login#{fragment}"}}"#);
                let link = Link::of_answer(answer.as_bytes()).unwrap();
                assert_eq!((&*link.app_id, &*link.region), ("app_1", "eu"));
                assert_eq!(link.one_time_token.expose(), "a?>~?");
            }
        }
    }

    #[test]
    fn a_region_or_an_application_that_leads_elsewhere_is_refused() {
        let key = |region: &str, app_id: &str, token: &str| {
            let json =
                serde_json::json!({"region": region, "appId": app_id, "oneTimeToken": token});
            link(&json.to_string()).err()
        };
        assert_eq!(key("us-east-1", "app_2T", "t"), None);
        for region in [
            "",
            "EU",
            "eu.evil.example",
            "eu/../",
            "evil.example/#",
            "e u",
            "ü",
            "a2345678901234567",
        ] {
            assert_eq!(key(region, "app_1", "t"), Some(LinkError::Region), "{region}");
        }
        for app_id in ["", "..", "app_1/endpoint", "app?", "a%2f"] {
            assert_eq!(key("eu", app_id, "t"), Some(LinkError::AppId), "{app_id}");
        }
        for token in ["", "a b", "a\nb"] {
            assert_eq!(key("eu", "app_1", token), Some(LinkError::OneTimeToken), "{token:?}");
        }
    }

    #[test]
    fn other_answers_are_errors_that_do_not_repeat_them() {
        for (answer, expected) in [
            ("", LinkError::NoUrl),
            (r#""https://app.svix.com""#, LinkError::NoUrl),
            (r#"{"url": "https://app.svix.com"}"#, LinkError::NoUrl),
            (r#"{"svix_url": "Ab3Cd4"}"#, LinkError::NoKey),
            (r#"{"svix_url": "https://app.svix.com/login?key=Ab3Cd4"}"#, LinkError::NoKey),
            (r#"{"svix_url": "https://app.svix.com/login#Ab3Cd4"}"#, LinkError::NoKey),
            (r#"{"svix_url": "https://app.svix.com/login#key=%25"}"#, LinkError::Key),
            (r#"{"svix_url": "https://app.svix.com/login#key=Ab3Cd4"}"#, LinkError::Key),
        ] {
            let error = Link::of_answer(answer.as_bytes()).unwrap_err();
            assert_eq!(error, expected, "{answer}");
            assert!(!format!("{error} {error:?}").contains("Ab3Cd4"), "{error}");
        }
        assert_eq!(link(r#"{"appId": "app_1", "region": "eu"}"#).unwrap_err(), LinkError::Key);
    }
}

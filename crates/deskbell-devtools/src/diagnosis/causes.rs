//! The known mistakes, with what each means and how to mend it.

use serde::Serialize;

/// A known mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseCode {
    HeaderRenamed,
    HeaderMissing,
    TimestampInMilliseconds,
    Clock,
    Replayed,
    SecretOfOtherSource,
    SecretNotDecoded,
    SecretDecodedTwice,
    SecretHex,
    SignatureHex,
    SignatureUrlSafe,
    SignatureWithoutVersion,
    BodyParsed,
    BodyKeyOrder,
    BodySpacing,
    BodyEscapes,
    BodyTrailingNewline,
    BodyLineEnds,
    BodyByteOrderMark,
    BodyCharset,
    BodyEncodedTwice,
    BodyBase64,
    BodyPercentEncoded,
    BodyTruncated,
    BodyEmpty,
}

/// One that explains a refusal, with what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: CauseCode,
    pub found: String,
}

impl CauseCode {
    pub(super) fn found(self, found: impl Into<String>) -> Cause {
        Cause { code: self, found: found.into() }
    }

    /// How to mend it.
    pub fn help(self) -> &'static str {
        match self {
            Self::HeaderRenamed => {
                "pass the headers svix-id, svix-timestamp and svix-signature on unchanged; look at \
                 the proxy or the framework that renames them"
            }
            Self::HeaderMissing => {
                "capture the request where it arrives; a proxy that drops unknown headers must let \
                 svix-* through"
            }
            Self::TimestampInMilliseconds => {
                "svix-timestamp is in seconds: divide by 1000 where you sign"
            }
            Self::Clock => {
                "the request was signed in the future: set this machine's clock (NTP), or the sender's"
            }
            Self::Replayed => {
                "an old request is refused so that it cannot be replayed. To check a capture, pass \
                 the time at which it arrived with --now; if it arrived just now, set the clock (NTP)"
            }
            Self::SecretOfOtherSource => {
                "use the Signing Secret of the endpoint that sent it: each endpoint in Clerk's \
                 dashboard has its own"
            }
            Self::SecretNotDecoded => {
                "the key is the base64 text after whsec_, decoded: decode it where you sign"
            }
            Self::SecretDecodedTwice => "decode the secret once where you sign",
            Self::SecretHex => "the key is base64, not hex: copy the Signing Secret as it is shown",
            Self::SignatureHex => "write the signature as v1,<base64> and not as hex",
            Self::SignatureUrlSafe => "use the standard alphabet of base64 for the signature",
            Self::SignatureWithoutVersion => "begin the signature with `v1,`",
            Self::BodyParsed | Self::BodyKeyOrder | Self::BodySpacing | Self::BodyEscapes => {
                "verify the raw bytes, before anything parses them: express.raw({ type: \
                 'application/json' }) instead of express.json(), await request.text() in Next.js, \
                 request.body in Python"
            }
            Self::BodyTrailingNewline => {
                "pass the body on as it came: a file that was written by an editor or `echo` ends \
                 with a newline"
            }
            Self::BodyLineEnds => "pass the body on as bytes: something converted its line ends",
            Self::BodyByteOrderMark => {
                "pass the body on as bytes: something added a byte order mark"
            }
            Self::BodyCharset => {
                "read the body as bytes, or as UTF-8: something decoded it in another character set"
            }
            Self::BodyEncodedTwice => {
                "the body is JSON inside a JSON string: verify the string's content, and do not \
                 call JSON.stringify on a text"
            }
            Self::BodyBase64 => {
                "decode the body first: serverless gateways pass it as base64 (isBase64Encoded)"
            }
            Self::BodyPercentEncoded => {
                "take the body before a form parser: Clerk sends application/json"
            }
            Self::BodyTruncated => {
                "raise the limit of bytes that the framework, proxy or logger keeps of a body"
            }
            Self::BodyEmpty => {
                "something has read the body already: verify first, or keep the raw bytes"
            }
        }
    }
}

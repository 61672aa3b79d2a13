//! The three headers that carry a signature, taken out of a request by one set of rules.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::verify_error::{PresentHeaders, VerifyError};

/// The two sets of names that the same three headers go by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HeaderFamily {
    /// `svix-id`, `svix-timestamp`, `svix-signature`: what Clerk sends.
    Svix,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`: Standard Webhooks.
    Webhook,
}

impl HeaderFamily {
    /// The name of the header that holds the message id.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.names()[0].as_str()
    }

    /// The name of the header that holds the time of sending, in seconds.
    #[must_use]
    pub fn timestamp(self) -> &'static str {
        self.names()[1].as_str()
    }

    /// The name of the header that holds the list of signatures.
    #[must_use]
    pub fn signature(self) -> &'static str {
        self.names()[2].as_str()
    }

    /// Parsed, because a look-up by text would parse it each time.
    pub(crate) fn names(self) -> &'static [HeaderName; 3] {
        static SVIX: [HeaderName; 3] = [
            HeaderName::from_static("svix-id"),
            HeaderName::from_static("svix-timestamp"),
            HeaderName::from_static("svix-signature"),
        ];
        static WEBHOOK: [HeaderName; 3] = [
            HeaderName::from_static("webhook-id"),
            HeaderName::from_static("webhook-timestamp"),
            HeaderName::from_static("webhook-signature"),
        ];
        match self {
            Self::Svix => &SVIX,
            Self::Webhook => &WEBHOOK,
        }
    }
}

/// The headers of one family, found once each and borrowed from the request. Nothing in them is verified yet.
///
/// One whole family is used, `svix-*` before `webhook-*`; the two are never mixed. Values are trimmed, and a blank one
/// counts as missing. Several lines of signatures are one list; several ids or timestamps are refused.
#[derive(Clone, Debug)]
pub struct SignatureHeaders<'a> {
    pub(crate) family: HeaderFamily,
    pub(crate) id: &'a str,
    pub(crate) timestamp: &'a str,
    signatures: Lines<'a>,
}

impl<'a> SignatureHeaders<'a> {
    /// Takes them from a request's headers.
    ///
    /// # Errors
    /// [`VerifyError::MissingHeader`], [`VerifyError::RepeatedHeader`] or [`VerifyError::MalformedHeader`].
    pub fn from_map(headers: &'a HeaderMap) -> Result<Self, VerifyError> {
        Self::find(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes))
    }

    /// Takes them from anything that gives the values of a header by its lower-case name, a value for each line.
    ///
    /// ```
    /// use clerk_webhooks::SignatureHeaders;
    ///
    /// let lines = [("svix-id", "msg_1"), ("svix-timestamp", "1700000000"), ("svix-signature", "v1,…")];
    /// let headers = SignatureHeaders::from_fn(|name| {
    ///     lines.iter().filter(move |line| line.0 == name).map(|line| line.1.as_bytes())
    /// })?;
    /// assert_eq!(headers.id(), "msg_1");
    /// # Ok::<(), clerk_webhooks::VerifyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`SignatureHeaders::from_map`].
    pub fn from_fn<I>(values: impl Fn(&'static str) -> I) -> Result<Self, VerifyError>
    where
        I: IntoIterator<Item = &'a [u8]>,
    {
        Self::find(|name| values(name.as_str()))
    }

    fn find<I>(values: impl Fn(&'static HeaderName) -> I) -> Result<Self, VerifyError>
    where
        I: IntoIterator<Item = &'a [u8]>,
    {
        let svix = Found::look(HeaderFamily::Svix, &values);
        if svix.is_complete() {
            return svix.into_headers();
        }
        let webhook = Found::look(HeaderFamily::Webhook, &values);
        if webhook.is_complete() {
            return webhook.into_headers();
        }
        let present = PresentHeaders::new([svix.present(), webhook.present()]);
        let nearest = if webhook.count() > svix.count() { webhook } else { svix };
        Err(VerifyError::MissingHeader { name: nearest.first_missing(), present })
    }

    /// The family that the request used.
    #[must_use]
    pub fn family(&self) -> HeaderFamily {
        self.family
    }

    /// The message id, as it was signed.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The text of the timestamp, as it was signed.
    #[must_use]
    pub fn timestamp(&self) -> &'a str {
        self.timestamp
    }

    /// Every token of the signature lists, in order: `v1,…`, `v1a,…`, or anything else.
    pub fn signatures(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.signatures
            .iter()
            .flat_map(|line| line.split(|byte| is_blank(*byte)))
            .filter(|token| !token.is_empty())
    }
}

/// The lines of one header. More than one is rare, so one costs no allocation.
#[derive(Clone, Debug)]
enum Lines<'a> {
    None,
    One([&'a [u8]; 1]),
    Many(Vec<&'a [u8]>),
}

impl<'a> Lines<'a> {
    fn collect(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut lines = Self::None;
        for value in values {
            let value = trim(value);
            lines = match lines {
                Self::None => Self::One([value]),
                Self::One([first]) => Self::Many(vec![first, value]),
                Self::Many(mut all) => {
                    all.push(value);
                    Self::Many(all)
                }
            };
        }
        lines
    }

    fn as_slice(&self) -> &[&'a [u8]] {
        match self {
            Self::None => &[],
            Self::One(line) => line,
            Self::Many(lines) => lines,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.as_slice().iter().copied()
    }

    fn is_blank(&self) -> bool {
        self.iter().all(<[u8]>::is_empty)
    }

    /// The one line, as text.
    fn only(&self, name: &'static str) -> Result<&'a str, VerifyError> {
        let [line] = self.as_slice() else { return Err(VerifyError::RepeatedHeader { name }) };
        // Without an early end, which lets the compiler look at many bytes at once.
        let is_text =
            line.iter().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~' | b'\t'));
        std::str::from_utf8(line)
            .ok()
            .filter(|_| is_text)
            .ok_or(VerifyError::MalformedHeader { name })
    }
}

/// What a request holds of one family.
struct Found<'a> {
    family: HeaderFamily,
    id: Lines<'a>,
    timestamp: Lines<'a>,
    signatures: Lines<'a>,
}

impl<'a> Found<'a> {
    fn look<I>(family: HeaderFamily, values: impl Fn(&'static HeaderName) -> I) -> Self
    where
        I: IntoIterator<Item = &'a [u8]>,
    {
        let [id, timestamp, signatures] =
            family.names().each_ref().map(|name| Lines::collect(values(name)));
        Self { family, id, timestamp, signatures }
    }

    fn present(&self) -> [(&'static str, bool); 3] {
        [
            (self.family.id(), !self.id.is_blank()),
            (self.family.timestamp(), !self.timestamp.is_blank()),
            (self.family.signature(), !self.signatures.is_blank()),
        ]
    }

    fn count(&self) -> usize {
        self.present().iter().filter(|(_, present)| *present).count()
    }

    fn is_complete(&self) -> bool {
        self.count() == 3
    }

    fn first_missing(&self) -> &'static str {
        let missing = self.present().into_iter().find(|(_, present)| !present);
        missing.map_or(self.family.id(), |(name, _)| name)
    }

    fn into_headers(self) -> Result<SignatureHeaders<'a>, VerifyError> {
        Ok(SignatureHeaders {
            family: self.family,
            id: self.id.only(self.family.id())?,
            timestamp: self.timestamp.only(self.family.timestamp())?,
            signatures: self.signatures,
        })
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

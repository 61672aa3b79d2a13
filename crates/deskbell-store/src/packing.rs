//! Payloads as both stores keep them: compressed where that makes them smaller.
//!
//! Clerk's events resemble each other, so that a dictionary of them does the most: an event of 2 KB has
//! no room to learn its own words in. `payload_bytes` in a row is the length of what comes back, byte
//! for byte; it is null where the payload is stored as it is.

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// Made of the catalog's samples, each in a line of its own, by `zstd --train *.json --maxdict=8192
/// --dictID=32768`. Compressed payloads name it by that number, so it never changes: a better one gets
/// another number, and is added.
const DICTIONARY: &[u8] = include_bytes!("packing/dictionary_32768.zdict");
/// A fast one. Measured: level 1 saves another tenth of what is written, and takes so much longer that
/// fewer events a second are acknowledged.
const LEVEL: i32 = -5;
/// A shorter payload is not worth the time.
const BYTES_MIN: usize = 128;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static COMPRESSOR: RefCell<io::Result<Compressor<'static>>> =
        RefCell::new(Compressor::with_prepared_dictionary(&ENCODER));
    static DECOMPRESSOR: RefCell<io::Result<Decompressor<'static>>> =
        RefCell::new(Decompressor::with_prepared_dictionary(&DECODER));
}

/// `None` where the payload is better stored as it is.
pub(crate) fn compress(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() < BYTES_MIN || i32::try_from(payload.len()).is_err() {
        return None;
    }
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressed = compressor.as_mut().ok()?.compress(payload).ok()?;
        (compressed.len() < payload.len()).then_some(compressed)
    })
}

/// The payload of a row.
///
/// # Errors
/// The row is damaged.
pub(crate) fn unpack(stored: Vec<u8>, payload_bytes: Option<i32>) -> io::Result<Vec<u8>> {
    let Some(payload_bytes) = payload_bytes.filter(|_| !stored.is_empty()) else {
        // As it is, or pruned.
        return Ok(stored);
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its length is another one");
    let payload_bytes = usize::try_from(payload_bytes).map_err(|_| damaged())?;
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let decompressor = decompressor
            .as_mut()
            .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        let payload = decompressor.decompress(&stored, payload_bytes)?;
        if payload.len() == payload_bytes { Ok(payload) } else { Err(damaged()) }
    })
}

/// Bytes that do not get smaller.
#[cfg(test)]
pub(crate) fn noise(length: usize) -> Vec<u8> {
    use sha2::{Digest, Sha256};

    let digests = (0_u64..).map(|number| Sha256::digest(number.to_be_bytes()));
    digests.flatten().take(length).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Payload;

    fn there_and_back(payload: &[u8]) -> (usize, Vec<u8>) {
        let payload = Payload::from(payload.to_vec());
        let (stored, payload_bytes) = match payload.packed() {
            Some((packed, payload_bytes)) => (packed.to_vec(), Some(payload_bytes)),
            None => (payload.to_vec(), None),
        };
        (stored.len(), unpack(stored, payload_bytes).unwrap())
    }

    #[test]
    fn an_event_takes_less_than_half_of_its_length_and_comes_back() {
        let event = br#"{"data":{"birthday":"","created_at":1654012591514,"email_addresses":[{"email_address":"example@example.org","id":"idn_29w83yL7CwVlJXylYLxcslromF1","linked_to":[],"object":"email_address","verification":{"status":"verified","strategy":"ticket"}}],"external_accounts":[],"external_id":"567772","first_name":"Example","gender":"","id":"user_29w83sxmDNGwOuEthce5gg56FcC","image_url":"https://img.clerk.com/xxxxxx","last_name":"Example","last_sign_in_at":1654012591514,"object":"user","password_enabled":true,"phone_numbers":[],"primary_email_address_id":"idn_29w83yL7CwVlJXylYLxcslromF1","primary_phone_number_id":null,"primary_web3_wallet_id":null,"private_metadata":{},"profile_image_url":"https://www.gravatar.com/avatar?d=mp","public_metadata":{},"two_factor_enabled":false,"unsafe_metadata":{},"updated_at":1654012591835,"username":null,"web3_wallets":[]},"instance_id":"ins_123","object":"event","timestamp":1654012591835,"type":"user.created"}"#;
        let (stored, payload) = there_and_back(event);
        assert_eq!(payload, event);
        assert!(stored * 5 < event.len() * 2, "{stored} of {}", event.len());
    }

    #[test]
    fn what_does_not_shrink_is_stored_as_it_is() {
        for payload in [&b""[..], b"{}", &noise(4_000)] {
            assert_eq!(compress(payload), None);
        }
    }

    #[test]
    fn a_damaged_row_is_an_error_and_no_other_payload() {
        let stored = compress(&[b'x'; 1_000]).unwrap();
        for (stored, payload_bytes) in [
            (stored.clone(), 999),
            (stored.clone(), 1_001),
            (stored.clone(), -1),
            (stored[1..].to_vec(), 1_000),
            (stored[..stored.len() - 1].to_vec(), 1_000),
        ] {
            unpack(stored, Some(payload_bytes)).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn any_payload_comes_back(payload: Vec<u8>, text: String, times in 1_usize..50) {
            for payload in [payload, text.repeat(times).into_bytes()] {
                prop_assert_eq!(&there_and_back(&payload).1, &payload);
            }
        }
    }
}

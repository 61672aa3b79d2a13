//! Identifiers as Clerk and Svix make them: a prefix and a KSUID, 20 bytes in 27 base-62 characters that sort by time.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

const KSUID_EPOCH_S: i64 = 1_400_000_000;
const KSUID_CHARS: usize = 27;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of an entity, `user_29w83sxmDNGwOuEthce5gg56FcC`: whole seconds, then 16 random bytes.
#[must_use]
pub fn entity_id(prefix: &str, at_ms: i64, rng: &mut ChaCha8Rng) -> String {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&ksuid_seconds(at_ms).to_be_bytes());
    rng.fill(&mut bytes[4..]);
    with_prefix(prefix, bytes)
}

/// The id of a message. Svix puts the time to 4 ms in it, so that two messages of the same 4 ms stand in random order.
pub(crate) fn message_id(at_ms: i64, rng: &mut ChaCha8Rng) -> String {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&ksuid_seconds(at_ms).to_be_bytes());
    bytes[4] = u8::try_from(at_ms.rem_euclid(1000) / 4).unwrap_or(u8::MAX);
    rng.fill(&mut bytes[5..]);
    with_prefix("msg_", bytes)
}

fn ksuid_seconds(at_ms: i64) -> u32 {
    let seconds = at_ms.div_euclid(1000) - KSUID_EPOCH_S;
    u32::try_from(seconds.clamp(0, i64::from(u32::MAX))).unwrap_or(u32::MAX)
}

fn with_prefix(prefix: &str, bytes: [u8; 20]) -> String {
    let mut id = String::with_capacity(prefix.len() + KSUID_CHARS);
    id.push_str(prefix);
    id.extend(base62(bytes).iter().map(|&digit| char::from(digit)));
    id
}

/// The number in base 62 with leading zeros, by long division over five 32-bit digits.
fn base62(bytes: [u8; 20]) -> [u8; KSUID_CHARS] {
    let mut words = [0_u64; 5];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = chunk.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    }
    let mut out = [b'0'; KSUID_CHARS];
    for digit in out.iter_mut().rev() {
        let mut remainder = 0_u64;
        for word in &mut words {
            let value = remainder << 32 | *word;
            *word = value / 62;
            remainder = value % 62;
        }
        *digit = usize::try_from(remainder).map_or(b'0', |index| BASE62[index]);
    }
    out
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn known_ksuids_are_encoded_as_the_reference_encodes_them() {
        // The smallest, the largest, and the example of the KSUID reference implementation.
        let example = [
            0x06, 0x69, 0xF7, 0xEF, 0xB5, 0xA1, 0xCD, 0x34, 0xB5, 0xF9, 0x9D, 0x11, 0x54, 0xFB,
            0x68, 0x53, 0x34, 0x5C, 0x97, 0x35,
        ];
        for (bytes, expected) in [
            ([0; 20], "000000000000000000000000000"),
            ([0xFF; 20], "aWgEPTl1tmebfsQzFP4bxwgy80V"),
            (example, "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
        ] {
            assert_eq!(std::str::from_utf8(&base62(bytes)).unwrap(), expected, "of {bytes:02x?}");
        }
    }

    #[test]
    fn message_ids_sort_by_time_to_four_milliseconds() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let start_ms = 1_767_225_600_000;
        let ids: Vec<String> =
            (0..2000).map(|step| message_id(start_ms + step * 4, &mut rng)).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.len() == "msg_".len() + KSUID_CHARS));
    }
}

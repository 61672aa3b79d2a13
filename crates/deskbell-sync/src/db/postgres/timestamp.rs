//! `timestamptz` on the wire: microseconds since the year 2000.

use clerk_webhooks::UnixMillis;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{
    PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
};
use sqlx::{Decode, Encode, Type};

/// Numbers of built-in types never change:
/// <https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat>.
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);
/// 2000-01-01T00:00:00Z.
const EPOCH_MS: i64 = 946_684_800_000;
const MICROS_PER_MILLI: i64 = 1_000;

/// A moment as PostgreSQL sends and takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timestamp(pub(super) UnixMillis);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = (self.0.as_millis() - EPOCH_MS) * MICROS_PER_MILLI;
        buffer.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a timestamp came as text".into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        let millis = micros.div_euclid(MICROS_PER_MILLI).saturating_add(EPOCH_MS);
        let time = UnixMillis::from_millis(millis);
        time.map(Self).ok_or_else(|| "a timestamp is beyond the years 0 to 9999".into())
    }
}

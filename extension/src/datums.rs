//! Values made in PostgreSQL's own form, where the way by text would cost more than the score.
//!
//! The forms of `numeric` and `jsonb` on disk: they cannot change without breaking every database.

mod kept;

use pgrx::{IntoDatum, pg_sys};

pub(crate) use kept::{Kept, word, words};

/// Base-10000 digits of a numeric.
const BASE: u64 = 10_000;
/// Below this, four decimals of a double are exact.
const MOST_EXACT: f64 = 1e15;

/// A numeric of at most four decimals: enough for a reader, and the same number again when it is
/// read back. NULL for what is not finite.
pub(crate) fn four_decimals(value: Option<f64>) -> Option<pg_sys::Datum> {
    let value = value.filter(|value| value.is_finite())?;
    let scaled = (value * 1e4).round();
    if scaled.abs() >= MOST_EXACT {
        // SAFETY: the function takes a double and returns a numeric.
        return unsafe {
            pgrx::direct_function_call_as_datum(pg_sys::float8_numeric, &[value.into_datum()])
        };
    }
    numeric(scaled as i64)
}

/// `scaled` ten-thousandths, without trailing zeros.
fn numeric(scaled: i64) -> Option<pg_sys::Datum> {
    let (whole, fraction) = (scaled.unsigned_abs() / BASE, scaled.unsigned_abs() % BASE);
    let mut digits = [0_u16; 6];
    let mut first = digits.len() - 1;
    digits[first] = fraction as u16;
    let mut rest = whole;
    while rest > 0 {
        first -= 1;
        digits[first] = (rest % BASE) as u16;
        rest /= BASE;
    }
    let weight = (digits.len() - 1 - first) as i16 - 1;
    let end = digits
        .iter()
        .rposition(|digit| *digit != 0)
        .map_or(first, |last| last + 1);
    // With nothing before the point the first digit is the fraction.
    let digits = &digits[first.min(end)..end];
    let weight = if digits.is_empty() { 0 } else { weight };
    let decimals = match fraction {
        0 => 0,
        f if f % 1000 == 0 => 1,
        f if f % 100 == 0 => 2,
        f if f % 10 == 0 => 3,
        _ => 4,
    };
    let sign = if scaled < 0 { 0x2000 } else { 0 };
    let header = 0x8000 | sign | (decimals << 7) | (weight as u16 & 0x7f);
    let mut bytes = [0_u8; 14];
    let mut length = 0;
    for part in std::iter::once(header).chain(digits.iter().copied()) {
        bytes[length..length + 2].copy_from_slice(&part.to_ne_bytes());
        length += 2;
    }
    bytes[..length].into_datum()
}

/// The double that PostgreSQL's cast makes of a numeric, the nearest one, for those that take no more than one
/// division: up to three digits of base 10000, none of them more than twenty places behind the point. `None` for
/// all others. `numeric` is what lies behind the length word.
pub(crate) fn double(numeric: &[u8]) -> Option<f64> {
    const SHORT: u16 = 0x8000;
    const SPECIAL: u16 = 0xc000;
    let (words, _) = numeric.as_chunks::<2>();
    let mut words = words.iter().map(|word| u16::from_ne_bytes(*word));
    let header = words.next()?;
    let (is_negative, weight) = match header & SPECIAL {
        SPECIAL => return None,
        SHORT => {
            let weight = i32::from(header & 0x3f);
            let weight = if header & 0x40 != 0 {
                weight - 0x40
            } else {
                weight
            };
            (header & 0x2000 != 0, weight)
        }
        sign => (sign != 0, i32::from(words.next()?.cast_signed())),
    };
    let digits = words.len() as i32;
    let behind = digits - 1 - weight;
    if digits > 3 || !(0..=5).contains(&behind) && digits > 0 {
        return None;
    }
    // Below 10^12 and 10^20: both are exact as doubles, so that the quotient is the nearest double.
    let whole = words.fold(0_u64, |whole, digit| whole * BASE + u64::from(digit)) as f64;
    let value = if digits == 0 {
        0.0
    } else {
        whole / 1e4_f64.powi(behind)
    };
    Some(if is_negative { -value } else { value })
}

const JSONB_ARRAY: u32 = 0x4000_0000;
const JSONB_OBJECT: u32 = 0x2000_0000;
const ENTRY_NULL: u32 = 0x4000_0000;
const ENTRY_HAS_OFFSET: u32 = 0x8000_0000;

/// The jsonb `[]`.
pub(crate) fn empty_jsonb_array() -> pg_sys::Datum {
    // A length word of eight bytes, and the header.
    static EMPTY: [u32; 2] = [
        if cfg!(target_endian = "little") {
            8 << 2
        } else {
            8
        },
        JSONB_ARRAY,
    ];
    by_reference(&EMPTY)
}

/// A jsonb object of a few texts and nulls. Keys must come in jsonb's order: the shorter first,
/// then by their bytes; fewer than 16, as every 32nd entry would need an offset.
pub(crate) fn jsonb_of_texts<const N: usize>(
    pairs: [(&str, Option<&str>); N],
) -> Option<pg_sys::Datum> {
    const { assert!(N > 0 && N < 16) };
    let mut bytes = Vec::with_capacity(160);
    bytes.extend((JSONB_OBJECT | N as u32).to_ne_bytes());
    for (index, (key, _)) in pairs.iter().enumerate() {
        let offset = if index == 0 { ENTRY_HAS_OFFSET } else { 0 };
        bytes.extend((key.len() as u32 | offset).to_ne_bytes());
    }
    for (_, value) in pairs {
        let entry = value.map_or(ENTRY_NULL, |value| value.len() as u32);
        bytes.extend(entry.to_ne_bytes());
    }
    let keys = pairs.iter().map(|(key, _)| *key);
    let values = pairs.iter().filter_map(|(_, value)| *value);
    for text in keys.chain(values) {
        bytes.extend(text.as_bytes());
    }
    bytes.into_datum()
}

/// The text of a key of a jsonb object, as [`jsonb_of_texts`] writes them: `Some(None)` for a null, `None` where there
/// is no such key, or something else in its place. `object` is what lies behind the length word.
pub(crate) fn jsonb_text<'a>(object: &'a [u8], key: &str) -> Option<Option<&'a str>> {
    const KIND: u32 = 0x7000_0000;
    const LENGTH: u32 = 0x0fff_ffff;
    let word = |place: usize| {
        let bytes = object.get(4 * place..4 * place + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let header = word(0)?;
    let pairs = (header & LENGTH) as usize;
    if header & !LENGTH != JSONB_OBJECT || pairs > 16 {
        return None;
    }
    // Keys first, then values; a word has the length of its text, or where that ends.
    let (texts, mut start) = (object.get(4 * (1 + 2 * pairs)..)?, 0_usize);
    let mut wanted = None;
    for place in 0..2 * pairs {
        let entry = word(1 + place)?;
        let length = (entry & LENGTH) as usize;
        let end = if entry & ENTRY_HAS_OFFSET != 0 {
            length
        } else {
            start + length
        };
        let text = texts.get(start..end)?;
        start = end;
        if place < pairs {
            if text == key.as_bytes() {
                wanted = Some(place + pairs);
            }
        } else if wanted == Some(place) {
            return match entry & KIND {
                0 => std::str::from_utf8(text).ok().map(Some),
                ENTRY_NULL => Some(None),
                _ => None,
            };
        }
    }
    None
}

/// jsonb from its text.
pub(crate) fn jsonb(text: String) -> Option<pg_sys::Datum> {
    let text = std::ffi::CString::new(text).ok()?;
    // SAFETY: the function takes a zero-ended text and returns jsonb.
    unsafe {
        pgrx::direct_function_call_as_datum(
            pg_sys::jsonb_in,
            &[Some(pg_sys::Datum::from(text.as_ptr()))],
        )
    }
}

/// A `text[]`.
pub(crate) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Option<pg_sys::Datum> {
    let mut elements: Vec<pg_sys::Datum> = texts.filter_map(IntoDatum::into_datum).collect();
    // SAFETY: the elements are texts; the array is a copy of them.
    let array = unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as i32,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as std::ffi::c_char,
        )
    };
    Some(pg_sys::Datum::from(array))
}

/// A value that is its bytes, as `uuid` and `tid` are: the datum points to it.
pub(crate) fn by_reference<T>(value: &T) -> pg_sys::Datum {
    pg_sys::Datum::from(
        std::ptr::from_ref(value)
            .cast_mut()
            .cast::<std::ffi::c_void>(),
    )
}

/// A `tid[]`.
pub(crate) fn tids<T>(places: &[&T]) -> Option<pg_sys::Datum> {
    const WIDTH: i32 = 6;
    let mut elements: Vec<pg_sys::Datum> =
        places.iter().map(|place| by_reference(*place)).collect();
    // SAFETY: the elements are six bytes each; the array is a copy of them.
    let array = unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as i32,
            pg_sys::TIDOID,
            WIDTH,
            false,
            pg_sys::TYPALIGN_SHORT as std::ffi::c_char,
        )
    };
    Some(pg_sys::Datum::from(array))
}

/// A random `uuid`.
pub(crate) fn new_id() -> [u8; 16] {
    // SAFETY: the function takes nothing and returns a uuid.
    let id: Option<pgrx::Uuid> =
        unsafe { pgrx::direct_function_call(pg_sys::gen_random_uuid, &[]) };
    *id.expect("a random id").as_bytes()
}

/// Ids for rows that come in one after another: version 7 of RFC 9562, in which each begins with the time and a counter, so
/// that an index takes them at its end. Random ones would each touch another of its pages.
pub(crate) fn ids_in_order(count: usize) -> Vec<pgrx::Uuid> {
    /// Bits of the counter: 12 before the variant and 14 behind it.
    const COUNTER: u32 = 26;
    // SAFETY: reads the clock.
    let now = unsafe { pg_sys::GetCurrentTimestamp() } + crate::collect::EPOCH_SHIFT;
    let milliseconds = now.max(0) as u64 / 1000;
    // It begins in the lower half of its range; past the end it counts on in the next millisecond.
    let start = u32::from_be_bytes(random()) >> (33 - COUNTER);
    (0..count as u64)
        .map(|place| {
            let counter = u64::from(start) + place;
            let time = milliseconds + (counter >> COUNTER);
            let counter = counter & ((1 << COUNTER) - 1);
            let high = time << 16 | 0x7000 | counter >> 14;
            let low = 0b10 << 62 | (counter & 0x3fff) << 48 | u64::from_be_bytes(random()) >> 16;
            pgrx::Uuid::from_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
        })
        .collect()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: the buffer is as long as it is said to be.
    if !unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), N) } {
        pgrx::error!("the server has no random numbers");
    }
    bytes
}

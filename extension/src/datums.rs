//! Values made in PostgreSQL's own form, where the way by text would cost more than the score.
//!
//! The forms of `numeric` and `jsonb` on disk: they cannot change without breaking every database.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::{IntoDatum, pg_sys};

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

thread_local! {
    /// Values that come again and again, made once a backend: words, and arrays of them by the bits of their
    /// members.
    static WORDS: RefCell<HashMap<(*const u8, usize), &'static [u8]>> = RefCell::new(HashMap::new());
    static WORD_ARRAYS: RefCell<HashMap<(TypeId, u32), &'static [u64]>> = RefCell::new(HashMap::new());
}

/// A `text` of a word that the program knows. It lives as long as the backend.
pub(crate) fn word(word: &'static str) -> pg_sys::Datum {
    // A header of one byte: the length with it, and a bit that says so.
    let make = || {
        let mut bytes = vec![((word.len() as u8 + 1) << 1) | 1];
        bytes.extend(word.as_bytes());
        &*bytes.leak()
    };
    assert!(word.len() < 126, "a word is short");
    let kept =
        WORDS.with_borrow_mut(|kept| *kept.entry((word.as_ptr(), word.len())).or_insert_with(make));
    pg_sys::Datum::from(kept.as_ptr())
}

/// A value of variable length that lives as long as its keeper.
pub(crate) struct Kept(Box<[u64]>);

impl Kept {
    /// A copy of a value that was just made, which is freed.
    pub(crate) fn of(made: Option<pg_sys::Datum>) -> Self {
        let made = made.expect("a value").cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: the value is as long as it says.
        unsafe {
            let bytes = std::slice::from_raw_parts(made.cast::<u8>(), pgrx::varsize_any(made));
            let mut aligned = vec![0_u64; bytes.len().div_ceil(size_of::<u64>())];
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), aligned.as_mut_ptr().cast(), bytes.len());
            pg_sys::pfree(made.cast());
            Self(aligned.into_boxed_slice())
        }
    }

    pub(crate) fn datum(&self) -> pg_sys::Datum {
        pg_sys::Datum::from(self.0.as_ptr())
    }
}

/// A `text[]` of words in the order that they are given in, each at most once; `places` are small numbers for
/// them, in the same order. It lives as long as the backend.
pub(crate) fn words<T: 'static>(
    places: impl Iterator<Item = u32>,
    words: impl Iterator<Item = &'static str>,
) -> pg_sys::Datum {
    let bits = places.fold(0, |bits, place| bits | 1 << place);
    let make = || &*Box::leak(Kept::of(texts(words)).0);
    let key = (TypeId::of::<T>(), bits);
    let known = WORD_ARRAYS.with_borrow(|kept| kept.get(&key).copied());
    let kept = known.unwrap_or_else(|| {
        let made = make();
        WORD_ARRAYS.with_borrow_mut(|kept| kept.insert(key, made));
        made
    });
    pg_sys::Datum::from(kept.as_ptr())
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

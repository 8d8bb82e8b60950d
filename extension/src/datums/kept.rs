//! Values that are made once and used often.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::pg_sys;

use super::texts;

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
        let length = word.len() as u8 + 1;
        let header = if cfg!(target_endian = "little") {
            (length << 1) | 1
        } else {
            length | 0x80
        };
        let mut bytes = vec![header];
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

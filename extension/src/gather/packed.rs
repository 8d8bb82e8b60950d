//! Rows of fixed width with their texts behind them, as bytes.
//!
//! Layout: number of rows (4 bytes), width of a row (4 bytes), rows, texts. Rows are copied as they
//! lie in memory, for the bytes never leave the backend that wrote them.

use std::marker::PhantomData;

use pgrx::pg_sys;

use crate::error::Error;

/// A row that is nothing but its bytes.
///
/// # Safety
/// `repr(C)`, without padding, and valid for any bytes.
pub(crate) unsafe trait Plain: Copy {}

/// Where a text lies among the texts; [`Text::NONE`] where there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    start: u32,
    length: u32,
}

impl Text {
    pub(crate) const NONE: Self = Self {
        start: 0,
        length: u32::MAX,
    };
}

/// Rows and texts as they come in: the state of an aggregate.
pub(crate) struct Packer<R> {
    pub(crate) rows: Vec<R>,
    texts: Vec<u8>,
}

impl<R> Default for Packer<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            texts: Vec::new(),
        }
    }
}

impl<R: Plain> Packer<R> {
    pub(crate) fn text(&mut self, text: Option<&[u8]>) -> Text {
        let Some(text) = text else {
            return Text::NONE;
        };
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(text);
        Text {
            start,
            length: text.len() as u32,
        }
    }

    /// The bytes of the rows and their texts.
    pub(crate) fn to_datum(&self) -> pg_sys::Datum {
        let count = self.rows.len() as u32;
        let head = [count.to_ne_bytes(), (size_of::<R>() as u32).to_ne_bytes()].concat();
        let parts = [&head, plain_bytes(&self.rows), &self.texts];
        let length = pg_sys::VARHDRSZ + parts.iter().map(|part| part.len()).sum::<usize>();
        // SAFETY: allocates as much as is written. PostgreSQL refuses more than a gigabyte.
        unsafe {
            let varlena = pg_sys::palloc(length).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(varlena, length as i32);
            let mut end = varlena.cast::<u8>().add(pg_sys::VARHDRSZ);
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), end, part.len());
                end = end.add(part.len());
            }
            pg_sys::Datum::from(varlena)
        }
    }

    /// How much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.rows) + self.texts.len()
    }

    /// What was packed, read where it is.
    pub(crate) fn unpacked(&self) -> Unpacked<'_, R> {
        Unpacked {
            rows: plain_bytes(&self.rows),
            texts: &self.texts,
            of: PhantomData,
        }
    }
}

fn plain_bytes<R: Plain>(rows: &[R]) -> &[u8] {
    // SAFETY: a plain row is its bytes, all of them initialized.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast::<u8>(), size_of_val(rows)) }
}

/// Rows and texts read in place.
#[derive(Clone, Copy)]
pub(crate) struct Unpacked<'a, R> {
    rows: &'a [u8],
    texts: &'a [u8],
    of: PhantomData<R>,
}

impl<'a, R: Plain> Unpacked<'a, R> {
    /// Reads what a packer wrote; no rows for NULL, an error for anything else.
    pub(crate) fn new(bytes: Option<&'a [u8]>) -> Self {
        let Some(bytes) = bytes else {
            return Self {
                rows: &[],
                texts: &[],
                of: PhantomData,
            };
        };
        let head = bytes.split_at_checked(8).and_then(|(head, body)| {
            let (count, width) = head.split_at(4);
            let number = |bytes: &[u8]| Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize);
            let (count, width) = (number(count)?, number(width)?);
            (width == size_of::<R>()).then_some(())?;
            body.split_at_checked(count.checked_mul(width)?)
        });
        let Some((rows, texts)) = head else {
            Error::NotCollected.raise();
        };
        Self {
            rows,
            texts,
            of: PhantomData,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len() / size_of::<R>()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = R> + 'a {
        self.rows.chunks_exact(size_of::<R>()).map(|bytes| {
            // SAFETY: as wide as a row, and a plain row is valid for any bytes.
            unsafe { bytes.as_ptr().cast::<R>().read_unaligned() }
        })
    }

    pub(crate) fn bytes(&self, text: Text) -> Option<&'a [u8]> {
        if text.length == u32::MAX {
            return None;
        }
        let start = text.start as usize;
        match self.texts.get(start..start + text.length as usize) {
            Some(bytes) => Some(bytes),
            None => Error::NotCollected.raise(),
        }
    }

    pub(crate) fn text(&self, text: Text) -> Option<&'a str> {
        self.bytes(text)
            .map(|bytes| match std::str::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => Error::NotCollected.raise(),
            })
    }
}

//! Turning the pages of a listing: each once, whatever the tokens say.

use std::collections::HashSet;

use crate::gmail::fault::Fault;

/// Where in a listing we are.
#[derive(Default)]
pub(super) struct Pages {
    next: Option<String>,
    seen: HashSet<String>,
}

impl Pages {
    /// The token of the page to ask for; none for the first.
    pub(super) fn token(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Goes on to `next`; false when there is no other page.
    ///
    /// # Errors
    /// [`Fault::Backend`] where it leads back to a page that was had: following it would never end.
    pub(super) fn turn(&mut self, next: Option<String>) -> Result<bool, Fault> {
        self.next = next;
        match &self.next {
            None => Ok(false),
            Some(token) if self.seen.insert(token.clone()) => Ok(true),
            Some(_) => Err(Fault::Backend("a listing repeats a page".to_owned())),
        }
    }
}

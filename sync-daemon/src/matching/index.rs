//! The user's contacts by address, and who the user is.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Address, Correspondents, Role};

/// The contacts of one user, for the length of one sync.
#[derive(Default)]
pub struct ContactIndex {
    exact: HashMap<String, Vec<Uuid>>,
    base: HashMap<String, Vec<Uuid>>,
}

/// A contact that a mail names, in its most telling role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The contact.
    pub contact_id: Uuid,
    /// Where it stands in the mail.
    pub role: Role,
}

impl ContactIndex {
    /// Builds the index from (contact, address); unusable addresses match nobody.
    pub fn new<S: AsRef<str>>(contacts: impl IntoIterator<Item = (Uuid, S)>) -> Self {
        let mut index = Self::default();
        for (id, email) in contacts {
            if let Some(address) = Address::parse(email.as_ref()) {
                index
                    .base
                    .entry(address.base().to_owned())
                    .or_default()
                    .push(id);
                index
                    .exact
                    .entry(address.exact().to_owned())
                    .or_default()
                    .push(id);
            }
        }
        index
    }

    /// The contacts that a mail names, each once; the user's own addresses name nobody.
    #[must_use]
    pub fn matches(&self, mail: &Correspondents, own: &HashSet<String>) -> Vec<Match> {
        let mut seen = HashSet::new();
        mail.iter()
            .filter(|(_, address)| !self.is_own(address, own))
            .flat_map(|(role, address)| self.lookup(address).iter().map(move |id| (role, *id)))
            .filter(|(_, id)| seen.insert(*id))
            .map(|(role, contact_id)| Match { contact_id, role })
            .collect()
    }

    /// Whether an address is one of the user's own; so is a tagged form of it, unless a contact has exactly that.
    #[must_use]
    pub fn is_own(&self, address: &Address, own: &HashSet<String>) -> bool {
        own.contains(address.exact())
            || own.contains(address.base()) && !self.exact.contains_key(address.exact())
    }

    /// Exactly, else (not for Gmail, where the forms are one) without the tag.
    fn lookup(&self, address: &Address) -> &[Uuid] {
        self.exact
            .get(address.exact())
            .or_else(|| self.exact.get(address.base()))
            .or_else(|| self.base.get(address.base()))
            .map_or(&[], Vec::as_slice)
    }
}

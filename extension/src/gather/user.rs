//! A user's targets and the rows that belong to each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::events::EventRow;
use super::packed::Unpacked;
use super::targets::{Owner, TargetRow};

/// Spreads the one number that [`Owner`] hashes to. A user with crafted ids slows herself down alone.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15_u128;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Ids are random, or differ in their last bytes.
pub(crate) fn mixed(id: u128) -> u64 {
    id as u64 ^ ((id >> 64) as u64).rotate_left(23)
}

/// The id of an event, hashed by [`IdHasher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventId(pub(crate) u128);

impl Hash for EventId {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(mixed(self.0));
    }
}

/// Something for each of some events.
pub(crate) type ByEvent<T> = HashMap<EventId, T, BuildHasherDefault<IdHasher>>;

/// Something for each contact or company.
pub(crate) type ByOwner<T> = HashMap<Owner, T, BuildHasherDefault<IdHasher>>;

/// The end of a chain.
const END: u32 = u32::MAX;

/// Rows chained by the target that they belong to.
pub(crate) struct Chains {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Chains {
    /// One chain for each of `targets`; `owners` says of each row where it belongs, if anywhere.
    pub(crate) fn new(targets: usize, owners: impl Iterator<Item = Option<u32>>) -> Self {
        let mut first = vec![END; targets];
        let next = owners
            .zip(0..)
            .map(|(owner, row)| {
                owner.map_or(END, |owner| {
                    std::mem::replace(&mut first[owner as usize], row)
                })
            })
            .collect();
        Self { first, next }
    }

    /// Adds a row, the next one.
    fn add(&mut self, owner: Option<u32>) {
        let row = self.next.len() as u32;
        let before = owner.map_or(END, |owner| {
            std::mem::replace(&mut self.first[owner as usize], row)
        });
        self.next.push(before);
    }

    /// The rows of a target.
    pub(crate) fn of(&self, target: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let existing = |row: u32| (row != END).then_some(row);
        std::iter::successors(existing(self.first[target]), move |row| {
            existing(self.next[*row as usize])
        })
        .map(|row| row as usize)
    }
}

/// Contacts and companies by id, contacts by company, events by contact and by company.
pub(crate) struct User<'a> {
    pub(crate) targets: Vec<TargetRow>,
    pub(crate) target_texts: Unpacked<'a, TargetRow>,
    pub(crate) events: Vec<EventRow>,
    places: ByOwner<u32>,
    members: Chains,
    of_contact: Chains,
    of_company: Chains,
}

impl<'a> User<'a> {
    pub(crate) fn new(targets: Option<&'a [u8]>, events: impl Iterator<Item = EventRow>) -> Self {
        let target_texts = Unpacked::new(targets);
        let targets: Vec<TargetRow> = target_texts.iter().collect();
        let places: ByOwner<u32> = targets.iter().map(TargetRow::owner).zip(0..).collect();
        let events: Vec<EventRow> = events.collect();
        let place = |owner: Option<Owner>| owner.and_then(|owner| places.get(&owner).copied());
        let contact = |event: &EventRow| place(event.contact().map(Owner::contact));
        let company = |event: &EventRow| place(event.company().map(Owner::company));
        let count = targets.len();
        let member = |target: &TargetRow| place(target.works_for());
        let members = Chains::new(count, targets.iter().map(member));
        let of_contact = Chains::new(count, events.iter().map(contact));
        let of_company = Chains::new(count, events.iter().map(company));
        Self {
            targets,
            target_texts,
            events,
            places,
            members,
            of_contact,
            of_company,
        }
    }

    /// Adds events.
    pub(crate) fn add(&mut self, events: impl Iterator<Item = EventRow>) {
        for event in events {
            let contact = event.contact().map(Owner::contact);
            let company = event.company().map(Owner::company);
            self.of_contact
                .add(contact.and_then(|owner| self.place(owner)));
            self.of_company
                .add(company.and_then(|owner| self.place(owner)));
            self.events.push(event);
        }
    }

    /// Where a contact or company stands.
    pub(crate) fn place(&self, owner: Owner) -> Option<u32> {
        self.places.get(&owner).copied()
    }

    /// The company that a contact is with.
    pub(crate) fn company_of(&self, contact: usize) -> Option<usize> {
        let company = self.targets[contact].works_for()?;
        self.place(company).map(|place| place as usize)
    }

    /// The events of a target; what names both a company and a contact of it comes twice.
    pub(crate) fn events_of(&self, target: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let own = if self.targets[target].contact().is_some() {
            self.of_contact.of(target)
        } else {
            self.of_company.of(target)
        };
        own.chain(
            self.contacts_of(target)
                .flat_map(|contact| self.of_contact.of(contact)),
        )
    }

    /// The contacts that a company has; none for a contact.
    pub(crate) fn contacts_of(&self, company: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        self.members.of(company)
    }
}

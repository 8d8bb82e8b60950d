//! What a target's rows hold, each interaction looked at once.
//!
//! Rows of one external id are one interaction, which the core knows by the newest of them. What the
//! others say of its direction or kind does not count, and must not stand in for an older event.

use std::collections::HashMap;

use crm_health_scoring::interaction::Interaction;

use super::ALL;

/// A row of an interaction.
pub(crate) trait Occurrence {
    /// What rows of one interaction share.
    fn key(&self) -> Option<u128>;

    /// Whether the core keeps this one of two rows of an interaction.
    fn is_kept_before(&self, other: &Self) -> bool;
}

impl Occurrence for Interaction {
    fn key(&self) -> Option<u128> {
        self.external_key
    }

    fn is_kept_before(&self, other: &Self) -> bool {
        (other.at, self.id) < (self.at, other.id)
    }
}

/// Rows for which the others are gone through, before a table of all is made.
const LOOKED_UP: usize = 8;

/// The bits that `has` finds in rows which the core keeps. Where a row that it keeps is merged with another, this
/// may find less than the core does, and never more.
pub(crate) fn held<'r, R: Occurrence + 'r>(
    rows: &(impl Iterator<Item = &'r R> + Clone),
    has: impl Fn(&R) -> u8,
) -> u8 {
    let mut found = 0;
    let mut looked_up = 0;
    let mut kept: Option<HashMap<u128, &R>> = None;
    for row in rows.clone() {
        let new = has(row) & !found;
        if new == 0 {
            continue;
        }
        let is_kept = match row.key() {
            None => true,
            Some(key) if looked_up < LOOKED_UP => {
                looked_up += 1;
                let mut twins = rows.clone().filter(|other| other.key() == Some(key));
                !twins.any(|other| other.is_kept_before(row))
            }
            Some(key) => {
                let kept = kept.get_or_insert_with(|| by_key(rows.clone()));
                !kept[&key].is_kept_before(row)
            }
        };
        if is_kept {
            found |= new;
        }
        if found == ALL {
            break;
        }
    }
    found
}

/// The row that is kept of each interaction.
fn by_key<'r, R: Occurrence + 'r>(rows: impl Iterator<Item = &'r R>) -> HashMap<u128, &'r R> {
    let mut kept: HashMap<u128, &R> = HashMap::new();
    for row in rows {
        let Some(key) = row.key() else { continue };
        let known = kept.entry(key).or_insert(row);
        if row.is_kept_before(known) {
            *known = row;
        }
    }
    kept
}

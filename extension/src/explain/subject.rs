//! Whose deal or contact is to be explained, and whether it has a score at all.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::crm::Crm;
use crate::error::Result;
use crate::owner::AsOwner;
use crate::refresh::Kind;

/// Of a contact.
const CONTACT: &str = "SELECT s.owner_id, NULL::text FROM {contacts} s WHERE s.id = $1";

/// Of a deal: the reverse of the condition in deals_due.sql.
const DEAL: &str = "SELECT s.owner_id,
       CASE WHEN s.status IS DISTINCT FROM 'active'
            THEN 'Only active deals are scored: the status of this one is ' || coalesce(s.status, 'unknown') || '.'
            WHEN g.is_final IS TRUE OR g.name IN ('Signed', 'Lost')
            THEN 'Only deals that are not at their end are scored: the stage of this one, ' || coalesce(g.name, 'unnamed') || ', is final.' END
     FROM {deals} s LEFT JOIN {deal_stages} g ON g.id = s.stage_id WHERE s.id = $1";

/// The owner of a deal or contact, and the sentence that says why it has no score, where it has none.
pub(super) fn find(
    kind: Kind,
    id: Uuid,
    crm: &Crm,
    owner: pg_sys::Oid,
) -> Result<Option<(Uuid, Option<String>)>> {
    let statement = match kind {
        Kind::Deals => DEAL
            .replace("{deals}", &crm.source("deals")?)
            .replace("{deal_stages}", &crm.source("deal_stages")?),
        Kind::Relationships => CONTACT.replace("{contacts}", &crm.source("contacts")?),
    };
    let _owner = AsOwner::enter(owner);
    Spi::connect(|client| {
        let found = client.select(statement.as_str(), Some(1), &[id.into()])?;
        if found.is_empty() {
            return Ok(None);
        }
        let (user, unscored) = found.first().get_two()?;
        Ok(user.map(|user| (user, unscored)))
    })
}

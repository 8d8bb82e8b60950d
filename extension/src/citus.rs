//! A CRM that Citus spreads over several servers, by user.
//!
//! Nothing of Citus is linked or needed: where it is not installed, [`Spread::read`] finds none, and
//! nothing else of this module runs. Where it is, a function that is called on the coordinator sends
//! its work to the server that holds the user ([`call`]), with the settings and the configuration,
//! which are the coordinator's alone. There ([`held`]) the same function runs on the shards of that
//! user, which are plain local tables ([`shards`]), and sends back rows and what is to be told of.

mod call;
mod everyone;
mod held;
mod scope;
mod shards;

pub(crate) use call::{id, link_replies, refresh, rows, texts, user_of, value};
pub(crate) use everyone::on_all;
pub(crate) use held::instant;
pub(crate) use scope::{added_deal_model, config, crm, settings, subject, tell};
pub(crate) use shards::Spread;

//! Relationship health, scored inside PostgreSQL.
//!
//! The glue between the database and [`crm_health_scoring`]: who may call ([`caller`]), as whom we
//! work ([`owner`]), what the CRM looks like ([`crm`]), which statements gather and write
//! ([`refresh`]), how rows reach the core ([`collect`]) and scores come back ([`score`]).

mod alerts;
mod attention;
mod caller;
mod citus;
mod collect;
mod contact_data;
mod crm;
mod datums;
mod error;
mod explain;
mod functions;
mod gather;
mod ghost;
mod json;
mod metrics;
mod outbox;
mod owner;
mod pipeline;
mod purge;
mod raw;
mod refresh;
mod replay;
mod replies;
mod score;
mod settings;
mod sql;
mod statement;
mod users;
mod what_if;

pgrx::pg_module_magic!(name, version);

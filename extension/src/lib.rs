//! Relationship health, scored inside PostgreSQL.

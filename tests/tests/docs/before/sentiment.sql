-- What docs/sentiment.md takes for granted: the daemon's tables.
\ir ../../../../sql/sync/install.sql

//! The scoring model against its specification: every threshold on both sides, as tables, and the
//! properties that hold for any input.

mod alert_titles;
mod alerts;
mod assessment;
mod configuration;
mod deal_measure;
mod deal_risks;
mod deal_score;
mod fixtures;
mod ghost_signals;
mod ghost_signals_of_mail;
mod meetings_ahead;
mod properties_of_alerts;
mod properties_of_events;
mod properties_of_scores;
mod relationship_events;
mod relationship_measure;
mod relationship_risks;
mod relationship_score;
mod rows_in_another_form;
mod what_if;
mod words;
mod words_of_habits;
mod words_of_numbers;

//! `status`: all mailboxes.

use chrono::{DateTime, Utc};

use super::fail;
use crate::cli::{Exit, StatusArgs};
use crate::config::Config;
use crate::store::{MailboxStatus, Store};

const TITLES: [&str; 8] = [
    "MAILBOX",
    "STATE",
    "LAST GOOD SYNC",
    "WAITING",
    "SET ASIDE",
    "EVENTS",
    "NEXT ATTEMPT",
    "REASON",
];

pub(crate) async fn status(config: &Config, args: &StatusArgs) -> Exit {
    let read = async { Store::new(config)?.mailbox_status().await };
    match read.await {
        Ok(mailboxes) if args.json => match serde_json::to_string(&mailboxes) {
            Ok(json) => {
                println!("{json}");
                Exit::Success
            }
            Err(_) => Exit::SomeFailed,
        },
        Ok(mailboxes) => {
            print_table(&mailboxes);
            Exit::Success
        }
        Err(failure) => fail(&failure),
    }
}

fn print_table(mailboxes: &[MailboxStatus]) {
    let titles = TITLES.map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(titles)
        .chain(mailboxes.iter().map(row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn row(mailbox: &MailboxStatus) -> [String; 8] {
    let state = match &mailbox.syncing_by {
        Some(_) => "syncing".to_owned(),
        None => mailbox.state.clone(),
    };
    [
        mailbox.email.clone(),
        state,
        time(mailbox.last_good_at),
        mailbox.waiting.to_string(),
        mailbox.poison.to_string(),
        mailbox.events_written.to_string(),
        time(mailbox.next_attempt_at),
        mailbox.reason.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |t| t.format("%F %TZ").to_string())
}

//! `status`: all mailboxes, and the channels of notifications.

use serde::Serialize;

use super::show::{print_columns, time};
use super::{channels, fail};
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
    let store = match Store::new(config).map(Store::without_patience) {
        Ok(store) => store,
        Err(failure) => return fail(&failure),
    };
    let read = async {
        let mailboxes = if args.channels {
            Vec::new()
        } else {
            store.mailbox_status().await?
        };
        Ok((mailboxes, store.channel_states().await?))
    };
    match read.await {
        Ok((_, channels)) if args.json && args.channels => print_json(&channels),
        Ok((mailboxes, _)) if args.json => print_json(&mailboxes),
        Ok((mailboxes, states)) => {
            if !args.channels {
                print_columns(TITLES, mailboxes.iter().map(row));
                println!();
            }
            channels::print(&states, config);
            Exit::Success
        }
        Err(failure) => fail(&failure),
    }
}

fn print_json<T: Serialize>(rows: &[T]) -> Exit {
    match serde_json::to_string(rows) {
        Ok(json) => {
            println!("{json}");
            Exit::Success
        }
        Err(_) => Exit::SomeFailed,
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

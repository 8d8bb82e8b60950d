//! `users.history.list`.

use serde_json::{Value, json};

use super::{PAGE_MOST, Params, ids};
use crate::mailbox::{Change, Mailbox, Record};
use crate::mix::mix;
use crate::reply::ApiError;

/// `users.history.list`. A page looks at `maxResults` records and leaves out those of other
/// types, so that it may be empty and not the last.
pub(crate) fn history(mailbox: &Mailbox, params: &Params<'_>) -> Result<Value, ApiError> {
    let size = params
        .page_size()?
        .min(params.page_limit.unwrap_or(PAGE_MOST))
        .max(1);
    let start = params
        .one("startHistoryId")
        .and_then(|id| id.parse::<u64>().ok());
    let start = start.ok_or_else(|| ApiError::invalid("Missing startHistoryId"))?;
    let from = params.page_token('h')?.map_or(start, |(_, last)| last);
    let records = mailbox
        .history_after(start)
        .ok_or_else(ApiError::not_found)?;
    let records = &records[records.partition_point(|record| record.id <= from)..];
    let page = &records[..if params.empty_page {
        0
    } else {
        size.min(records.len())
    }];
    let wanted = page
        .iter()
        .filter(|record| is_wanted(record, mailbox, params));
    let entries: Vec<Value> = wanted.map(|record| entry(record, mailbox)).collect();
    let mut answer = json!({ "historyId": mailbox.history_id().to_string() });
    if !entries.is_empty() {
        answer["history"] = Value::from(entries);
    }
    if page.len() < records.len() || params.empty_page {
        let last = page.last().map_or(from, |record| record.id);
        answer["nextPageToken"] = Value::from(format!("h0_{last}"));
    }
    Ok(answer)
}

fn is_wanted(record: &Record, mailbox: &Mailbox, params: &Params<'_>) -> bool {
    let mut types = params.all("historyTypes").peekable();
    let of_type = types.peek().is_none() || types.any(|name| name == type_name(&record.change));
    let label = params.one("labelId");
    let labelled = |label: &str| match &record.change {
        Change::LabelsAdded(labels) | Change::LabelsRemoved(labels) => {
            labels.iter().any(|own| own == label)
        }
        _ => mailbox
            .get(record.message)
            .is_some_and(|message| message.has_label(label)),
    };
    of_type && label.is_none_or(labelled)
}

fn type_name(change: &Change) -> &'static str {
    match change {
        Change::Added => "messageAdded",
        Change::Deleted => "messageDeleted",
        Change::LabelsAdded(_) => "labelAdded",
        Change::LabelsRemoved(_) => "labelRemoved",
    }
}

fn entry(record: &Record, mailbox: &Mailbox) -> Value {
    let message = ids(record.message, record.thread);
    let mut detail = json!({ "message": message.clone() });
    // Labels stand on the messages of about every other record, and never on deleted ones.
    let labels = mailbox
        .get(record.message)
        .map(|m| &m.labels)
        .filter(|l| !l.is_empty());
    if let (Some(labels), 0) = (labels, mix(record.id) % 2) {
        detail["message"]["labelIds"] = labels.iter().map(String::as_str).collect();
    }
    let list = match &record.change {
        Change::Added => "messagesAdded",
        Change::Deleted => "messagesDeleted",
        Change::LabelsAdded(labels) | Change::LabelsRemoved(labels) => {
            detail["labelIds"] = labels.iter().map(String::as_str).collect();
            let added = matches!(record.change, Change::LabelsAdded(_));
            if added {
                "labelsAdded"
            } else {
                "labelsRemoved"
            }
        }
    };
    let mut entry = json!({ "id": record.id.to_string(), "messages": [message] });
    entry[list] = Value::from(vec![detail]);
    entry
}

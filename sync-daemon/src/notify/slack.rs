//! Slack's Block Kit. Everything from outside stands in `plain_text` objects, where Slack reads no markup, and is
//! escaped besides: a deal's name can neither mention a channel nor be a link.
//!
//! Limits, as Slack documents them: 50 blocks, 150 characters in a header, 3000 in a section.

use serde_json::{Value, json};

use super::message::{Outgoing, and_more, headline, mark, mark_of_status};
use super::text::{clean, escaped};
use crate::config::Severity;
use crate::store::{Attention, Notification};

const HEADER: usize = 150;
const SECTION: usize = 3_000;
/// Of a section, so that title, detail and next step all have their place.
const TITLE: usize = 600;
const DETAIL: usize = 1_400;
const NEXT_STEP: usize = 900;

/// The body of a post to an incoming webhook.
pub(super) fn payload(outgoing: &Outgoing<'_>) -> Value {
    let (title, sections) = match outgoing {
        Outgoing::Batch(batch) => {
            let mut sections: Vec<String> = batch.items.iter().map(notification).collect();
            sections.extend(and_more(batch, batch.items.len()).map(|text| own(&text)));
            (headline(batch), sections)
        }
        Outgoing::Digest { listed, more } => ("Needs attention today".to_owned(), {
            let mut sections: Vec<String> = listed.iter().map(attention).collect();
            if *more {
                sections.push("and more".to_owned());
            }
            if listed.is_empty() {
                sections.push("Nothing needs attention today.".to_owned());
            }
            sections
        }),
        Outgoing::Test => (
            "crm_health: a test".to_owned(),
            vec!["This channel is set up.".to_owned()],
        ),
    };
    let mut blocks = vec![json!({"type": "header", "text": plain(&escaped(&title, HEADER))})];
    blocks.extend(
        sections
            .into_iter()
            .map(|text| json!({"type": "section", "text": plain(&text)})),
    );
    json!({
        // Shown where blocks are not, and read as markup: words of ours alone.
        "text": escaped(&title, HEADER),
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "emoji": false, "text": text})
}

fn own(text: &str) -> String {
    escaped(text, SECTION)
}

fn notification(item: &Notification) -> String {
    let severity = Severity::named(&item.severity);
    let mut text = format!("{} {}", mark(severity), escaped(&clean(&item.title), TITLE));
    let lines = [
        (item.detail.as_deref(), "", DETAIL),
        (item.next_step.as_deref(), "Next: ", NEXT_STEP),
    ];
    for (line, label, most) in lines {
        let line = clean(line.unwrap_or_default());
        if !line.is_empty() {
            text.push_str(&format!("\n{label}{}", escaped(&line, most)));
        }
    }
    text
}

fn attention(item: &Attention) -> String {
    let status = item.health_status.as_deref().unwrap_or("unknown");
    let name = clean(item.name.as_deref().unwrap_or("without a name"));
    let score = item
        .health_score
        .map_or_else(String::new, |score| format!(", {score} of 100"));
    let mut text = format!(
        "{} {}\n{}: {}{score}",
        mark_of_status(status),
        escaped(&name, TITLE),
        escaped(&clean(&item.kind), 40),
        escaped(&clean(status), 40),
    );
    let reasons: Vec<String> = item.reasons.iter().flatten().map(|r| clean(r)).collect();
    if !reasons.is_empty() {
        text.push_str(&format!("\n{}", escaped(&reasons.join("; "), DETAIL)));
    }
    text
}

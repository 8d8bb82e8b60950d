//! Header fields of a mail: the addresses in them, with groups, comments, encoded words and all that senders do wrong.

use mail_parser::{HeaderValue, MessageParser};

use super::Address;
use crate::gmail::Header;

/// A longer header value is cut: no correspondent is read from the rest.
const MAX_VALUE: usize = 256 * 1024;

/// Where an address stands, in the order in which it says most about the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The author.
    From,
    /// A recipient.
    To,
    /// A copy.
    Cc,
    /// A blind copy.
    Bcc,
    /// Where answers go.
    ReplyTo,
}

impl Role {
    /// Its name in an event's metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
            Self::ReplyTo => "reply_to",
        }
    }

    fn of_header(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "from" => Some(Self::From),
            "to" => Some(Self::To),
            "cc" => Some(Self::Cc),
            "bcc" => Some(Self::Bcc),
            "reply-to" => Some(Self::ReplyTo),
            _ => None,
        }
    }
}

/// Everyone a mail names.
pub struct Correspondents(Vec<(Role, Address)>);

impl Correspondents {
    /// Reads From, To, Cc, Bcc and Reply-To.
    #[must_use]
    pub fn of(headers: &[Header]) -> Self {
        let mut found: Vec<(Role, Address)> = headers
            .iter()
            .filter_map(|h| Role::of_header(&h.name).map(|role| (role, h)))
            .flat_map(|(role, h)| read_addresses(&h.value).into_iter().map(move |a| (role, a)))
            .collect();
        found.sort_by_key(|(role, _)| *role);
        Self(found)
    }

    /// The authors.
    pub fn authors(&self) -> impl Iterator<Item = &Address> {
        self.0
            .iter()
            .filter(|(role, _)| *role == Role::From)
            .map(|(_, address)| address)
    }

    /// All of them, the most telling role first.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &Address)> {
        self.0.iter().map(|(role, address)| (*role, address))
    }
}

/// The addresses in one header value, in order.
#[must_use]
pub fn read_addresses(value: &str) -> Vec<Address> {
    let raw = field("To", &separate_lines(value));
    let parsed = MessageParser::new().parse_headers(&raw);
    let mut found: Vec<Address> = parsed
        .as_ref()
        .and_then(|message| message.to())
        .into_iter()
        .flat_map(|list| list.iter())
        .filter_map(|entry| entry.address())
        .filter_map(Address::parse)
        .collect();
    if found.is_empty() {
        found = salvage(value);
    }
    found
}

/// Decodes encoded words and unfolds; NUL and other controls go.
#[must_use]
pub fn decode_text(value: &str) -> String {
    let raw = field("Subject", value);
    let parsed = MessageParser::new().parse_headers(&raw);
    let decoded = parsed
        .as_ref()
        .and_then(|m| m.header("Subject"))
        .and_then(HeaderValue::as_text);
    let text = decoded.unwrap_or(value);
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// A line break that does not fold is damage; what stands on both sides is read, as two entries.
fn separate_lines(value: &str) -> String {
    let cut = &value[..value.floor_char_boundary(MAX_VALUE)];
    let mut lines = cut.split('\n').map(|line| line.trim_end_matches('\r'));
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| {
        let joint = if line.starts_with([' ', '\t']) {
            ""
        } else {
            ","
        };
        text + joint + line
    })
}

/// One header field as it would stand in a mail. What Gmail hands out is unfolded; a line break in it is damage.
fn field(name: &str, value: &str) -> Vec<u8> {
    let cut = value.floor_char_boundary(MAX_VALUE);
    let clean: String = value[..cut]
        .chars()
        // NUL and what stands for broken UTF-8 belong to no address and no word.
        .filter(|c| !matches!(*c, '\0' | char::REPLACEMENT_CHARACTER))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("{name}: {clean}\r\n\r\n").into_bytes()
}

/// Where the parser finds nothing (unbalanced quotes, stray brackets), anything that looks like a plain address.
fn salvage(value: &str) -> Vec<Address> {
    let cut = value.floor_char_boundary(MAX_VALUE);
    value[..cut]
        .split(|c: char| c.is_whitespace() || "<>,;:()[]\"".contains(c))
        .filter(|word| word.len() > 2 && word.matches('@').count() == 1)
        .filter_map(Address::parse)
        .collect()
}

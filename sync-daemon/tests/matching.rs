//! Addresses and headers: what senders do to them, and what matches.

use std::collections::HashSet;

use crm_health_sync::gmail::{Header, Message, Part, batch};
use crm_health_sync::mailbox::events_of;
use crm_health_sync::matching::{Address, ContactIndex, decode_text, read_addresses};
use proptest::prelude::*;
use uuid::Uuid;

fn exact(value: &str) -> Vec<String> {
    read_addresses(value)
        .iter()
        .map(|a| a.exact().to_owned())
        .collect()
}

#[test]
fn headers_are_read_whatever_senders_write() {
    let rows: &[(&str, &[&str])] = &[
        ("a@b.com", &["a@b.com"]),
        ("Ann <Ann@B.com>", &["ann@b.com"]),
        ("a@b.com,,c@d.com", &["a@b.com", "c@d.com"]),
        (
            "\"Last, First\" <x@y.org>, Z <z@y.org>",
            &["x@y.org", "z@y.org"],
        ),
        (
            "Team: a@b.com, C <c@d.com>; e@f.com",
            &["a@b.com", "c@d.com", "e@f.com"],
        ),
        ("undisclosed-recipients:;", &[]),
        ("=?utf-8?q?J=C3=B6rg?= <j@b.com>", &["j@b.com"]),
        ("\"unbalanced <q@b.com>", &["q@b.com"]),
        ("<<w@b.com>>", &["w@b.com"]),
        ("n\u{0}ul <n@\u{0}b.com>", &["n@b.com"]),
        ("bad <b\u{fffd}@b.com>\u{fffd}", &["b@b.com"]),
        ("a@b.com\r\nBcc: hidden@evil.com", &["a@b.com"]),
        ("x@BÜCHER.example", &["x@xn--bcher-kva.example"]),
        ("First.Last+tag@GoogleMail.com", &["firstlast@gmail.com"]),
        ("", &[]),
        ("nobody", &[]),
        ("@b.com", &[]),
    ];
    for (value, wanted) in rows {
        let found = exact(value);
        for address in *wanted {
            assert!(
                found.iter().any(|f| f == address),
                "{value:?}: {address} not in {found:?}"
            );
        }
        if wanted.is_empty() {
            assert!(found.is_empty(), "{value:?}: {found:?}");
        }
    }
}

#[test]
fn subjects_are_decoded() {
    for (value, wanted) in [
        ("plain", "plain"),
        ("=?utf-8?b?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1?q?caf=E9?= =?iso-8859-1?q?_ole?=", "café ole"),
        ("a\u{0}b", "ab"),
        ("=?utf-8?b?broken", "=?utf-8?b?broken"),
    ] {
        assert_eq!(decode_text(value), wanted);
    }
}

#[test]
fn tags_count_only_when_the_exact_address_matches_nobody() {
    let [plain, tagged, gmail] = [1, 2, 3].map(Uuid::from_u128);
    let index = ContactIndex::new([
        (plain, "bob@x.com"),
        (tagged, "bob+crm@x.com"),
        (gmail, "J.Doe@googlemail.com"),
    ]);
    let found = |from: &str| matches(&index, from, &HashSet::new());
    assert_eq!(found("BOB@x.com"), [plain]);
    assert_eq!(found("bob+crm@X.COM"), [tagged]);
    assert_eq!(found("bob+other@x.com"), [plain]);
    assert_eq!(found("j.d.o.e+x@gmail.com"), [gmail]);
    assert!(found("b.ob@x.com").is_empty());
}

fn matches(index: &ContactIndex, from: &str, own: &HashSet<String>) -> Vec<Uuid> {
    events_of(&mail(&[("From", from)], &[]), index, own)
        .iter()
        .map(|e| e.contact_id)
        .collect()
}

fn mail(headers: &[(&str, &str)], labels: &[&str]) -> Message {
    let header = |(name, value): &(&str, &str)| Header {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Message {
        id: "m".to_owned(),
        thread_id: None,
        label_ids: labels.iter().map(|l| (*l).to_owned()).collect(),
        internal_date: 0,
        payload: Part {
            headers: headers.iter().map(header).collect(),
        },
        snippet: None,
    }
}

#[test]
fn brackets_and_dots_alone_are_no_address() {
    for text in [
        "aa@>.",
        "aa@.>.",
        "\"<\"@x.com",
        "...@gmail.com",
        "a@b＠c",
        "a<b@x.com",
    ] {
        let found = Address::parse(text);
        let again = found.as_ref().map(|a| Address::parse(a.base()));
        assert!(found.is_none(), "{text}: {found:?}, again {again:?}");
    }
}

#[test]
fn direction_and_automation_follow_the_headers_and_labels() {
    let contact = Uuid::from_u128(1);
    let index = ContactIndex::new([(contact, "ada@c.com"), (Uuid::from_u128(2), "me@x.com")]);
    let own: HashSet<String> = ["me@x.com".to_owned()].into();
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, bool);
    let rows: &[Row<'_>] = &[
        (
            &[("From", "ada@c.com"), ("To", "me@x.com")],
            &[],
            "inbound",
            false,
        ),
        (
            &[("From", "ME@x.com"), ("To", "ada@c.com")],
            &[],
            "outbound",
            false,
        ),
        (
            &[("From", "odd@x.com"), ("Bcc", "ada@c.com")],
            &["SENT"],
            "outbound",
            false,
        ),
        (
            &[
                ("From", "list@c.com"),
                ("reply-to", "ada@c.com"),
                ("List-Id", "<l>"),
            ],
            &[],
            "inbound",
            true,
        ),
        (
            &[("From", "ada@c.com"), ("Precedence", "Bulk")],
            &[],
            "inbound",
            true,
        ),
        (
            &[("From", "ada@c.com"), ("Auto-Submitted", "auto-replied; x")],
            &[],
            "inbound",
            true,
        ),
        (
            &[("From", "ada@c.com"), ("Auto-Submitted", "no")],
            &[],
            "inbound",
            false,
        ),
    ];
    for (headers, labels, direction, automated) in rows {
        let events = events_of(&mail(headers, labels), &index, &own);
        assert_eq!(
            events.len(),
            1,
            "{headers:?}: the own address is no contact"
        );
        assert_eq!(
            (events[0].contact_id, events[0].direction),
            (contact, *direction),
            "{headers:?}"
        );
        let flag = format!("\"automated\":{automated}");
        assert!(
            events[0].metadata.contains(&flag),
            "{headers:?}: {}",
            events[0].metadata
        );
    }
}

#[test]
fn mail_that_somebody_else_wrote_is_nobodys_answer() {
    let [ada, bob] = [1, 2].map(Uuid::from_u128);
    let index = ContactIndex::new([(ada, "ada@c.com"), (bob, "bob@c.com")]);
    let own: HashSet<String> = ["me@x.com".to_owned()].into();
    // A colleague writes to the contact, one contact writes to another, a list rewrites the author.
    type Row<'a> = (&'a str, &'a str, &'a str, &'a [(Uuid, &'a str)]);
    let rows: &[Row<'_>] = &[
        ("peer@x.com", "ada@c.com", "", &[(ada, "system")]),
        (
            "bob@c.com",
            "me@x.com, ada@c.com",
            "",
            &[(bob, "inbound"), (ada, "system")],
        ),
        (
            "list@l.com",
            "me@x.com, bob@c.com",
            "ada@c.com",
            &[(bob, "system"), (ada, "inbound")],
        ),
        (
            "me@x.com",
            "bob@c.com, ada@c.com",
            "",
            &[(bob, "outbound"), (ada, "outbound")],
        ),
    ];
    for (from, to, reply_to, wanted) in rows {
        let headers = [("From", *from), ("To", *to), ("Reply-To", *reply_to)];
        let events = events_of(&mail(&headers, &[]), &index, &own);
        let found: Vec<(Uuid, &str)> = events.iter().map(|e| (e.contact_id, e.direction)).collect();
        assert_eq!(found, *wanted, "{from} to {to}");
    }
}

#[test]
fn tagged_forms_of_the_own_address_are_the_own_address() {
    let [ada, me, filed] = [1, 2, 3].map(Uuid::from_u128);
    let index = ContactIndex::new([
        (ada, "ada@c.com"),
        (me, "me@x.com"),
        (filed, "me+crm@x.com"),
    ]);
    let own: HashSet<String> = ["me@x.com".to_owned()].into();
    let rows: &[(&str, &str, &[Uuid], &str)] = &[
        ("ada@c.com", "me+shop@x.com", &[ada], "inbound"),
        ("ada@c.com", "me+crm@x.com", &[ada, filed], "inbound"),
        ("Me+Shop@x.com", "ada@c.com", &[ada], "outbound"),
        ("me+crm@x.com", "ada@c.com", &[filed, ada], "inbound"),
    ];
    for (from, to, contacts, direction) in rows {
        let events = events_of(&mail(&[("From", from), ("To", to)], &[]), &index, &own);
        let found: Vec<Uuid> = events.iter().map(|e| e.contact_id).collect();
        assert_eq!(found, *contacts, "{from} to {to}");
        assert_eq!(events[0].direction, *direction, "{from} to {to}");
    }
}

#[test]
fn a_batch_answer_is_read_by_content_id_whatever_its_shape() {
    let part = |id: &str, status: u16, body: &str| {
        format!(
            "--x\r\nContent-Type: application/http\r\nContent-ID: <response-m-{id}>\r\n\r\nHTTP/1.1 {status} S\r\nContent-Length: {}\r\n\r\n{body}\r\n",
            body.len()
        )
    };
    let whole = format!(
        "preamble\r\n{}{}{}--x--",
        part("b", 200, "{}"),
        part("a", 404, "no"),
        part("b", 500, "late")
    );
    let answers = batch::read_answer("multipart/mixed; boundary=\"x\"", whole.as_bytes());
    assert_eq!(
        (answers["a"].status, answers["b"].status),
        (404, 200),
        "the better duplicate stays"
    );
    let cut = &whole[..whole.find("late").expect("there")];
    let answers = batch::read_answer("multipart/mixed; boundary=x", cut.as_bytes());
    assert_eq!(answers.len(), 2, "what came whole is used");
    assert!(batch::read_answer("text/html", whole.as_bytes()).is_empty());
}

proptest! {
    #[test]
    fn any_header_value_is_survived(value in any::<String>()) {
        for address in read_addresses(&value) {
            prop_assert!(address.exact().contains('@'));
            prop_assert_eq!(address.exact().to_lowercase(), address.exact());
        }
        prop_assert!(!decode_text(&value).contains('\0'));
    }

    #[test]
    fn making_comparable_is_idempotent(text in "[a-zA-Z0-9.+_-]{1,20}@[a-zA-Z0-9-]{1,15}\\.(com|org|example)") {
        if let Some(once) = Address::parse(&text) {
            let twice = Address::parse(once.exact()).expect("an address");
            prop_assert_eq!(once.exact(), twice.exact());
            let upper = Address::parse(&text.to_uppercase()).expect("an address");
            prop_assert_eq!(once.exact(), upper.exact());
        }
    }

    #[test]
    fn a_plain_address_is_found_among_others(
        before in "[a-z ]{0,10}", name in "[a-z]{1,10}", after in "(, [a-z]{1,5}@z\\.com){0,3}",
    ) {
        let value = format!("{before}<{name}@client.example>{after}");
        let wanted = format!("{name}@client.example");
        prop_assert!(exact(&value).contains(&wanted), "{:?}", exact(&value));
    }

    #[test]
    fn any_batch_answer_is_survived(body in proptest::collection::vec(any::<u8>(), 0..500)) {
        let framed = [b"--x\r\n".as_slice(), &body, b"\r\n--x--"].concat();
        for id in batch::read_answer("multipart/mixed; boundary=x", &framed).keys() {
            prop_assert!(!id.is_empty());
        }
    }
}

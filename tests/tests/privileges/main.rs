//! Who may call what, and with whose rights it runs.

mod grants;
mod later;

use crm_health_tests::database::{connect, error_of};
use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use uuid::Uuid;

const APP_FUNCTIONS: [&str; 2] = [
    "refresh_deal_health_scores",
    "refresh_relationship_health_scores",
];

/// A user with a deal and a contact.
fn user(db: &mut Database) -> Uuid {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 5.0);
    crm.contact(user);
    user
}

/// Every row that both functions return for a user.
fn refresh(client: &mut Client, user: Uuid) -> usize {
    APP_FUNCTIONS
        .iter()
        .map(|function| {
            client
                .query(&format!("SELECT * FROM {function}($1, 0)"), &[&user])
                .unwrap_or_else(|error| panic!("{function}: {error:?}"))
                .len()
        })
        .sum()
}

fn assert_refused(client: &mut Client, user: Uuid, who: &str) {
    for function in APP_FUNCTIONS {
        let (code, message, _) =
            error_of(client, &format!("SELECT * FROM {function}('{user}', 0)"));
        assert_eq!(code, "42501", "{who}: {message}");
    }
}

#[test]
fn a_user_refreshes_itself_and_nobody_else() {
    let mut db = Database::new();
    let (own, other) = (user(&mut db), user(&mut db));
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    assert_eq!(refresh(&mut session, own), 2);
    assert_refused(&mut session, other, "someone else's subject");
    let both = "SELECT * FROM crm_health.needs_attention(ARRAY[$1::uuid, $2::uuid])";
    assert!(session.query(both, &[&own, &other]).is_err());
    let own_rows = session.query("SELECT user_id FROM crm_health.needs_attention()", &[]);
    for row in own_rows.expect("one's own") {
        assert_eq!(row.get::<_, Uuid>(0), own);
    }
}

#[test]
fn the_subject_is_found_in_either_setting_and_in_any_case() {
    let mut db = Database::new();
    let own = user(&mut db);
    for (name, value) in [
        ("request.jwt.claims", format!(r#"{{"sub":"{own}"}}"#)),
        ("request.jwt.claim.sub", own.to_string()),
        ("request.jwt.claim.sub", own.to_string().to_uppercase()),
    ] {
        let mut session = db.session();
        become_role(&mut session, "authenticated", None);
        let set = session.execute("SELECT set_config($1, $2, false)", &[&name, &value]);
        assert!(set.is_ok());
        assert_eq!(refresh(&mut session, own), 2, "{name} = {value}");
    }
}

#[test]
fn whoever_has_no_usable_subject_is_refused() {
    let mut db = Database::new();
    let own = user(&mut db);
    for claims in [
        String::new(),
        "{}".to_owned(),
        "not json".to_owned(),
        format!("{{\"sub\":\"{own}\""),
        r#"{"sub":null}"#.to_owned(),
        r#"{"sub":7}"#.to_owned(),
        r#"{"sub":""}"#.to_owned(),
        r#"{"sub":"somebody"}"#.to_owned(),
        format!(r#"["{own}"]"#),
        format!(r#"{{"sub":["{own}"]}}"#),
        format!(r#"{{"sub":"{own}' OR true"}}"#),
    ] {
        let mut session = db.session();
        become_role(&mut session, "authenticated", None);
        let set = session.execute(
            "SELECT set_config('request.jwt.claims', $1, false)",
            &[&claims],
        );
        assert!(set.is_ok());
        assert_refused(&mut session, own, &claims);
        let (code, ..) = error_of(&mut session, "SELECT * FROM crm_health.needs_attention()");
        assert_eq!(code, "42501", "{claims}");
    }
}

#[test]
fn the_claims_count_more_than_the_single_claim() {
    let mut db = Database::new();
    let (own, other) = (user(&mut db), user(&mut db));
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    let set = session.execute(
        "SELECT set_config('request.jwt.claim.sub', $1, false)",
        &[&other.to_string()],
    );
    assert!(set.is_ok());
    assert_eq!(refresh(&mut session, own), 2);
    assert_refused(&mut session, other, "the single claim");
}

#[test]
fn trusted_roles_refresh_anyone() {
    let mut db = Database::new();
    let somebody = user(&mut db);
    for role in ["service_role", "crm_health_owner", "postgres"] {
        let mut session = db.session();
        become_role(&mut session, role, None);
        assert_eq!(refresh(&mut session, somebody), 2, "{role}");
    }
}

#[test]
fn a_trusted_role_with_a_subject_still_refreshes_anyone() {
    let mut db = Database::new();
    let (own, other) = (user(&mut db), user(&mut db));
    let mut session = db.session();
    become_role(&mut session, "service_role", Some(&own.to_string()));
    assert_eq!(refresh(&mut session, other), 2);
}

#[test]
fn members_of_a_configured_role_are_trusted_as_long_as_it_is_configured() {
    let (role, member) = (Role::new(""), Role::new(""));
    let mut db = Database::new();
    let somebody = user(&mut db);
    db.run(&format!(
        "GRANT {0} TO {1};
         GRANT EXECUTE ON FUNCTION refresh_deal_health_scores, refresh_relationship_health_scores TO {0}",
        role.name, member.name
    ));
    let mut session = db.session();
    become_role(&mut session, &member.name, None);
    assert_refused(&mut session, somebody, "not configured yet");
    let configure = "UPDATE crm_health.settings SET value = $1 WHERE name = 'trusted_roles'";
    db.query(configure, &[&format!("service_role, {}", role.name)]);
    assert_eq!(refresh(&mut session, somebody), 2);
    db.query(configure, &[&"service_role, role_that_is_gone"]);
    assert_refused(&mut session, somebody, "configured no more");
}

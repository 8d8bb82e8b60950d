//! Sessions as applications have them: of a role, with a JWT subject, hearing what the server says.

use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::error::DbError;
use postgres::{Client, NoTls};

use crate::Database;
use crate::database::{connect, error_of};

/// A role of one test on the shared server. Declare it before the database in which it owns
/// anything: it is dropped after that.
pub struct Role {
    /// Its name, which needs no quotes.
    pub name: String,
    server: String,
}

impl Role {
    /// Creates the role with these options of CREATE ROLE.
    #[must_use]
    pub fn new(options: &str) -> Self {
        let server = crate::environment("CRM_HEALTH_TEST_SERVER");
        let name = format!("role_{}", uuid::Uuid::new_v4().simple());
        connect(&format!("{server}postgres"))
            .batch_execute(&format!("CREATE ROLE {name} {options}"))
            .expect("a role for the test");
        Self { name, server }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Ok(mut admin) = Client::connect(&format!("{}postgres", self.server), NoTls) {
            let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {}", self.name));
        }
    }
}

/// What the server said to a session besides results: NOTICE and WARNING, in order.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<Vec<DbError>>>);

impl Notices {
    /// The messages of a severity.
    ///
    /// # Panics
    /// Where the session's thread panicked.
    #[must_use]
    pub fn of(&self, severity: &str) -> Vec<String> {
        let heard = self.0.lock().expect("the notices");
        heard
            .iter()
            .filter(|notice| notice.severity() == severity)
            .map(|notice| notice.message().to_owned())
            .collect()
    }
}

/// Opens a session whose notices are kept.
///
/// # Panics
/// Where the server does not let it in.
#[must_use]
pub fn listen(url: &str) -> (Client, Notices) {
    let notices = Notices::default();
    let heard = notices.clone();
    let mut config: postgres::Config = url.parse().expect("a connection string");
    config.notice_callback(move |notice| heard.0.lock().expect("the notices").push(notice));
    (config.connect(NoTls).expect("a session"), notices)
}

/// Makes the session one of a role, with a JWT subject in `request.jwt.claims` where one is given.
///
/// # Panics
/// Where the role does not exist.
pub fn become_role(client: &mut Client, role: &str, subject: Option<&str>) {
    let claims = subject.map_or_else(String::new, |subject| {
        serde_json::json!({ "sub": subject }).to_string()
    });
    client
        .batch_execute(&format!(
            "RESET ROLE; SELECT set_config('request.jwt.claims', '{claims}', false),
                                set_config('request.jwt.claim.sub', '', false);
             SET ROLE {role}"
        ))
        .expect("a role to be");
}

/// The process of a session on the server.
///
/// # Panics
/// Where the session is gone.
pub fn pid(client: &mut Client) -> i32 {
    client
        .query_one("SELECT pg_backend_pid()", &[])
        .expect("the session's process")
        .get(0)
}

/// Waits until a condition holds; fails the test after half a minute.
///
/// # Panics
/// Where it does not come to hold.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < patience, "never came true: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Waits until a process of the server waits for a lock.
///
/// # Panics
/// Where it does not come to wait.
pub fn wait_for_lock(watcher: &mut Client, pid: i32) {
    wait_until("the session waits for a lock", || {
        watcher
            .query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'",
                &[&pid],
            )
            .expect("the server's activity")
            .get::<_, i64>(0)
            == 1
    });
}

/// A call is refused with SQLSTATE 42501 to another user, to nobody, and to anon in the user's name.
///
/// # Panics
/// Where it is not.
pub fn assert_refused_to_others(session: &mut Client, user: uuid::Uuid, call: &str) {
    for (role, subject) in [
        ("authenticated", Some(uuid::Uuid::new_v4().to_string())),
        ("authenticated", None),
        ("anon", Some(user.to_string())),
    ] {
        become_role(session, role, subject.as_deref());
        assert_eq!(error_of(session, call).0, "42501", "{role}: {call}");
    }
}

/// Two sessions refresh a user at once by `crm_health.refresh_deals` or `refresh_relationships`:
/// the second waits until the first commits, and both succeed.
///
/// # Panics
/// Where they do not.
pub fn refresh_twice_at_once(db: &mut Database, function: &str, user: uuid::Uuid) {
    let refresh = format!("SELECT crm_health.{function}(ARRAY[$1::uuid], 0)");
    let mut first = db.session();
    let mut work = first.transaction().expect("a transaction");
    work.query(&refresh, &[&user]).expect("the first");
    let mut second = db.session();
    let waiting = pid(&mut second);
    let other = std::thread::spawn(move || second.query(&refresh, &[&user]).map(|_| ()));
    wait_for_lock(db.client(), waiting);
    work.commit().expect("the commit");
    other.join().expect("the thread").expect("the second");
}

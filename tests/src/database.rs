//! A database of one test.

use postgres::types::ToSql;
use postgres::{Client, NoTls, Row};

/// A copy of the template database, dropped when the test is over.
pub struct Database {
    name: String,
    server: String,
    client: Client,
}

impl Database {
    /// A fresh copy of the template on the shared server: the extension and the CRM tables, empty.
    #[must_use]
    pub fn new() -> Self {
        Self::on(
            &crate::environment("CRM_HEALTH_TEST_SERVER"),
            Some("crm_template"),
        )
    }

    /// A fresh database without anything in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::on(&crate::environment("CRM_HEALTH_TEST_SERVER"), None)
    }

    /// A fresh database on a server of the test's own. `server` ends with a slash.
    #[must_use]
    pub fn on(server: &str, template: Option<&str>) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut admin = connect(&format!("{server}postgres"));
        let template = template.unwrap_or("template0");
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .expect("a database for the test");
        let client = connect(&format!("{server}{name}"));
        Self {
            name,
            server: server.to_owned(),
            client,
        }
    }

    /// Where it is: `postgres://…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.server, self.name)
    }

    /// Another session in the same database.
    #[must_use]
    pub fn session(&self) -> Client {
        connect(&self.url())
    }

    /// The test's own session, a superuser's.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Runs statements that return nothing.
    pub fn run(&mut self, sql: &str) {
        self.client
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{}\nin: {sql}", describe(&error)));
    }

    /// Runs a query and returns its rows.
    pub fn query(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.client
            .query(sql, parameters)
            .unwrap_or_else(|error| panic!("{}\nin: {sql}", describe(&error)))
    }

    /// The one value of a query.
    pub fn value<T: for<'a> postgres::types::FromSql<'a>>(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> T {
        let rows = self.query(sql, parameters);
        assert_eq!(rows.len(), 1, "rows of: {sql}");
        rows[0].get(0)
    }

    /// Runs statements that must fail and returns (SQLSTATE, message, hint).
    pub fn error(&mut self, sql: &str) -> (String, String, String) {
        error_of(&mut self.client, sql)
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut admin) = Client::connect(&format!("{}postgres", self.server), NoTls) {
            let _ = admin.batch_execute(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                self.name
            ));
        }
    }
}

/// Opens a session.
///
/// # Panics
/// Where the server does not let it in.
#[must_use]
pub fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap_or_else(|error| panic!("{url}: {}", describe(&error)))
}

/// Runs statements that must fail in a session and returns (SQLSTATE, message, hint).
///
/// # Panics
/// Where they do not fail.
pub fn error_of(client: &mut Client, sql: &str) -> (String, String, String) {
    let error = match client.batch_execute(sql) {
        Ok(()) => panic!("this should have failed: {sql}"),
        Err(error) => error,
    };
    let error = error
        .as_db_error()
        .unwrap_or_else(|| panic!("not the server's error: {error}"));
    (
        error.code().code().to_owned(),
        error.message().to_owned(),
        error.hint().unwrap_or_default().to_owned(),
    )
}

fn describe(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |error| {
            format!(
                "{} {}: {}; hint: {}",
                error.severity(),
                error.code().code(),
                error.message(),
                error.hint().unwrap_or("none")
            )
        },
    )
}

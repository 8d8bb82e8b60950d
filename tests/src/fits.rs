//! Fits of models that do not go their way: one beside another, one that is ended.

use std::thread::{JoinHandle, spawn};

use postgres::Client;

use crate::Database;

/// Fits a model called `first` by `function`, and asks for another before that is committed: it is
/// refused with SQLSTATE 55P03 and a hint.
///
/// # Panics
/// Where it is not.
pub fn no_two_at_once(db: &mut Database, function: &str) {
    let mut first = db.session();
    let mut fitting = first.transaction().expect("a transaction");
    fitting
        .batch_execute(&format!("SELECT * FROM {function}(p_name => 'first')"))
        .expect("a fit");
    let (state, message, hint) = db.error(&format!("SELECT * FROM {function}()"));
    assert_eq!(state, "55P03", "{message}");
    assert!(!hint.is_empty());
    fitting.commit().expect("committed");
}

/// Begins a fit that the test will end; its SQLSTATE, empty where the connection closed first.
///
/// # Panics
/// In its thread, where the fit comes to its end.
#[must_use]
pub fn ending(mut session: Client, function: &str) -> JoinHandle<String> {
    let fit = format!("SELECT * FROM {function}()");
    spawn(move || {
        let ended = session.batch_execute(&fit);
        let error = ended.expect_err("the fit was ended");
        error
            .code()
            .map_or(String::new(), |code| code.code().to_owned())
    })
}

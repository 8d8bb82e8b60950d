//! `rotate-keys`: every stored token under the current key.

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{engine, fail};
use crate::cli::Exit;
use crate::config::Config;
use crate::failure::Failure;
use crate::oauth::cipher::{Cipher, CipherError, Field};
use crate::store::{SealedRow, Store};

#[derive(Default)]
struct Tally {
    sealed: usize,
    current: usize,
    changed_meanwhile: usize,
    unreadable: Vec<(Uuid, CipherError)>,
}

pub(crate) async fn rotate(config: Config) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let Some(key) = engine.cipher.current_key() else {
        eprintln!(
            "crm-health-sync: set CRM_HEALTH_TOKEN_KEY: the new key first, the old ones after it"
        );
        return Exit::Config;
    };
    let mut tally = Tally::default();
    if let Err(failure) = reseal_all(&engine.store, &engine.cipher, &mut tally).await {
        return fail(&failure);
    }
    println!(
        "key {key}: {} sealed anew, {} were already, {} changed meanwhile",
        tally.sealed, tally.current, tally.changed_meanwhile
    );
    for (row, error) in &tally.unreadable {
        eprintln!("crm-health-sync: integration {row} left as it is: {error}");
    }
    if tally.unreadable.is_empty() && tally.changed_meanwhile == 0 {
        Exit::Success
    } else {
        Exit::SomeFailed
    }
}

async fn reseal_all(store: &Store, cipher: &Cipher, tally: &mut Tally) -> Result<(), Failure> {
    let mut last = Uuid::nil();
    loop {
        let rows = store.sealed_rows(last).await?;
        let Some(end) = rows.last() else {
            return Ok(());
        };
        last = end.key.integration_id;
        for row in &rows {
            reseal(store, cipher, row, tally).await?;
        }
    }
}

async fn reseal(
    store: &Store,
    cipher: &Cipher,
    row: &SealedRow,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let user = row.key.user_id;
    let columns = [
        (Field::Access, &row.access_token),
        (Field::Refresh, &row.refresh_token),
    ];
    if !columns.iter().any(|(_, stored)| {
        stored
            .as_ref()
            .is_some_and(|s| !s.is_empty() && cipher.is_outdated(s))
    }) {
        tally.current += 1;
        return Ok(());
    }
    let anew = |(field, stored): (Field, &Option<String>)| {
        let open = |text: &String| cipher.open(user, field, text);
        let opened: Option<SecretString> = stored.as_ref().map(open).transpose()?;
        // No token is none, and stays to be seen as none.
        let seal = |token: SecretString| match token.expose_secret() {
            "" => String::new(),
            _ => cipher.seal(user, field, &token),
        };
        Ok(opened.map(seal))
    };
    let [access, refresh] = columns;
    match (anew(access), anew(refresh)) {
        (Ok(access), Ok(refresh)) => {
            let done = store
                .reseal(row, access.as_deref(), refresh.as_deref())
                .await?;
            if done {
                tally.sealed += 1;
            } else {
                tally.changed_meanwhile += 1;
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tally.unreadable.push((row.key.integration_id, error));
        }
    }
    Ok(())
}

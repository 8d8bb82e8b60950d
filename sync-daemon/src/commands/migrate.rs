//! `migrate`: the daemon's own tables.

use super::fail;
use crate::cli::Exit;
use crate::config::Config;
use crate::store::Store;

pub(crate) async fn migrate(config: &Config) -> Exit {
    let migrated = async { Store::new(config)?.migrate().await };
    match migrated.await {
        Ok(()) => {
            println!("schema crm_health_sync is complete");
            Exit::Success
        }
        Err(failure) => fail(&failure),
    }
}

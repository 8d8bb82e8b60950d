//! `connect`: a mailbox without any web app.

use super::{engine, fail, stop_on_signal};
use crate::cli::{ConnectArgs, Exit};
use crate::config::Config;
use crate::oauth::consent::Consent;

pub(crate) async fn connect(config: Config, args: &ConnectArgs) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let consent = match Consent::begin(&engine.config, args.port).await {
        Ok(consent) => consent,
        Err(failure) => return fail(&failure),
    };
    println!(
        "open this address in a browser on this machine:\n\n{}\n",
        consent.url()
    );
    match consent.finish(&engine, args.user, stop_on_signal()).await {
        Ok(email) => {
            println!("connected {email}");
            Exit::Success
        }
        Err(failure) => fail(&failure),
    }
}

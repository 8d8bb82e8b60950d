//! What a call from the coordinator brings, in force until the work is done.
//!
//! The functions that read settings, the configuration, the CRM, or write to the outbox ask here
//! first. Without such a call there is nothing here, and they look where they always do.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::crm::Crm;
use crate::pipeline::{OWNERS, SECTION};
use crate::settings::Settings;

/// What came with the call.
pub(super) struct Scope {
    pub(super) settings: Settings,
    /// The scoring configuration, with the pipeline of deals where one is in use.
    pub(super) config: Value,
    /// Who is behind the call, where a person is.
    pub(super) subject: Option<String>,
    /// The part of the CRM that is here.
    pub(super) crm: Rc<Crm>,
    /// What is to be told of, for the coordinator's outbox.
    pub(super) told: Vec<Value>,
}

thread_local! {
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Runs the work of a call, and returns its result with what is to be told of.
pub(super) fn within<T>(scope: Scope, work: impl FnOnce() -> T) -> (T, Vec<Value>) {
    /// Ends the scope also where the work ends in an error.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            SCOPE.take();
        }
    }
    SCOPE.set(Some(scope));
    let _leave = Leave;
    let result = work();
    let told = SCOPE.take().map(|scope| scope.told).unwrap_or_default();
    (result, told)
}

fn of<T>(get: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.with_borrow(|scope| scope.as_ref().map(get))
}

/// The settings that came with the call in progress.
pub(crate) fn settings() -> Option<Settings> {
    of(|scope| scope.settings.clone())
}

/// The CRM's part that the call in progress is about.
pub(crate) fn crm() -> Option<Rc<Crm>> {
    of(|scope| Rc::clone(&scope.crm))
}

/// The person behind the call in progress; outer `None` where no call is.
pub(crate) fn subject() -> Option<Option<String>> {
    of(|scope| scope.subject.clone())
}

/// The scoring configuration that came with the call in progress.
pub(crate) fn config() -> Option<Value> {
    of(|scope| {
        let mut config = scope.config.clone();
        if let Some(sections) = config.as_object_mut() {
            sections.remove(SECTION);
            sections.remove(OWNERS);
        }
        config
    })
}

/// The configuration with the pipelines that came with the call in progress, if any did; an error
/// gives the configuration back: no call is in progress.
pub(crate) fn added_deal_model(mut config: Value) -> Result<Value, Value> {
    let came = of(|scope| [SECTION, OWNERS].map(|key| (key, scope.config.get(key).cloned())));
    let Some(came) = came else {
        return Err(config);
    };
    for (key, section) in came {
        if let Some(section) = section {
            config[key] = section;
        }
    }
    Ok(config)
}

/// Keeps notifications for the coordinator; `false` where no call is in progress.
pub(crate) fn tell(rows: &[Value]) -> bool {
    SCOPE.with_borrow_mut(|scope| match scope {
        Some(scope) => {
            scope.told.extend_from_slice(rows);
            true
        }
        None => false,
    })
}

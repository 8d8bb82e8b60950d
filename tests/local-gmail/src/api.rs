//! One call of the Gmail API, alone or as a part of a batch: from its request line to its answer.
//!
//! The order is that of a real front end: description check, faults, token, scope, quota, work.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::app::App;
use crate::auth::Grant;
use crate::call::Call;
use crate::fault_book::Target;
use crate::faults::{Endpoint, Fault, Place};
use crate::fields;
use crate::lock::locked;
use crate::mailbox::Mailbox;
use crate::mangle::mangle;
use crate::meter::crowded;
use crate::methods::{self, Params};
use crate::reply::{Answer, ApiError, Reply};
use crate::stats::SeenRequest;

/// A call whose target is understood.
struct Asked<'a> {
    app: &'a App,
    call: &'a Call,
    endpoint: Endpoint,
    user: &'a str,
    message: Option<&'a str>,
    grant: Option<Grant>,
}

/// Answers a call and writes it down.
pub(crate) async fn answer(app: &App, call: &Call) -> Answer {
    let Some((endpoint, user, message)) = call.route() else {
        let request = format!("{} {}", call.verb, call.target());
        locked(&app.journal).violate(&request, vec!["this server has no such method".to_owned()]);
        return Answer::Whole(ApiError::not_found().reply());
    };
    let asked = Asked {
        app,
        call,
        endpoint,
        user,
        message,
        grant: call.grant(app),
    };
    let answer = asked.answer().await;
    asked.note(&answer);
    answer
}

impl Asked<'_> {
    async fn answer(&self) -> Answer {
        let checked = self.check();
        let fault = self.app.faults.take(&self.target());
        if let Some(refusal) = fault
            .as_ref()
            .and_then(|f| f.refusal(self.app.clock.now_ms()))
        {
            return refusal;
        }
        let result = match checked {
            Ok(schema) => self.serve(schema, fault.as_ref()).await,
            Err(error) => Err(error),
        };
        mangle(fault.as_ref(), result.unwrap_or_else(|error| error.reply()))
    }

    fn target(&self) -> Target<'_> {
        let mailbox = self.grant.as_ref().map(|grant| grant.mailbox.as_str());
        let (endpoint, place, message) = (self.endpoint, self.call.place, self.message);
        Target {
            endpoint,
            place,
            mailbox,
            message,
        }
    }

    fn note(&self, answer: &Answer) {
        let status = answer.status();
        let seen = SeenRequest {
            endpoint: self.endpoint,
            place: self.call.place,
            mailbox: self.grant.as_ref().map(|grant| grant.mailbox.clone()),
            target: self.call.target(),
            status,
        };
        locked(&self.app.journal).note(seen, self.app.config.request_log);
    }

    /// Holds the request against the API description; gives the schema of the answer.
    fn check(&self) -> Result<Option<&str>, ApiError> {
        let Some(discovery) = &self.app.discovery else {
            return Ok(None);
        };
        match discovery.check_request(&self.call.verb, &self.call.path, &self.call.query) {
            Ok(method) => Ok(method.response.as_deref()),
            Err(wrong) => {
                let first = wrong.first().cloned().unwrap_or_default();
                self.violate(wrong);
                Err(ApiError::invalid(format!("Invalid request: {first}")))
            }
        }
    }

    fn violate(&self, wrong: Vec<String>) {
        let request = format!("{} {}", self.call.verb, self.call.target());
        locked(&self.app.journal).violate(&request, wrong);
    }

    async fn serve(&self, schema: Option<&str>, fault: Option<&Fault>) -> Result<Reply, ApiError> {
        let (grant, mailbox) = self.authorise()?;
        let quota = *locked(&self.app.quota);
        let permit = match self.call.place {
            Place::Part => None,
            _ => Some(
                self.app
                    .meter
                    .enter(&grant.mailbox, &quota)
                    .ok_or_else(crowded)?,
            ),
        };
        if self.call.crowded {
            return Err(crowded());
        }
        let units = methods::units(self.endpoint, &quota.costs);
        self.app
            .meter
            .spend(&grant.mailbox, units, &quota, self.app.clock.now_ms())?;
        locked(&self.app.journal).spend(&grant.mailbox, units);
        self.wait(fault).await;
        let answer = self.work(grant, &mailbox, fault);
        drop(permit);
        self.render(schema, answer?)
    }

    fn authorise(&self) -> Result<(&Grant, std::sync::Arc<Mutex<Mailbox>>), ApiError> {
        let grant = self.grant.as_ref().ok_or_else(ApiError::unauthorized)?;
        let mailbox = self
            .app
            .find(&grant.mailbox)
            .ok_or_else(ApiError::unauthorized)?;
        if self.user != "me" && self.decoded_user().to_lowercase() != grant.mailbox {
            let message = format!("Delegation denied for {}", grant.mailbox);
            return Err(ApiError::new(403, "forbidden", message));
        }
        if !grant.reads() {
            return Err(methods::scope_missing());
        }
        Ok((grant, mailbox))
    }

    fn decoded_user(&self) -> String {
        let encoded = format!("u={}", self.user.replace('+', "%2B"));
        let mut pairs = url::form_urlencoded::parse(encoded.as_bytes());
        pairs
            .next()
            .map(|(_, user)| user.into_owned())
            .unwrap_or_default()
    }

    async fn wait(&self, fault: Option<&Fault>) {
        let mut milliseconds = match self.call.place {
            Place::Part => 0,
            _ => locked(&self.app.latency).service_ms,
        };
        if let Some(Fault::Delay { milliseconds: more }) = fault {
            milliseconds += more;
        }
        if milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
    }

    fn work(
        &self,
        grant: &Grant,
        mailbox: &Mutex<Mailbox>,
        fault: Option<&Fault>,
    ) -> Result<Value, ApiError> {
        let params = Params {
            query: &self.call.query,
            metadata_only: grant.metadata(),
            now_ms: self.app.clock.now_ms(),
            empty_page: matches!(fault, Some(Fault::EmptyPage)),
            page_limit: self.app.config.history_page_limit,
        };
        let mailbox = locked(mailbox);
        match self.endpoint {
            Endpoint::Profile => Ok(methods::profile(&mailbox)),
            Endpoint::List => methods::list(&mailbox, &params),
            Endpoint::Get => methods::get(&mailbox, self.message.unwrap_or_default(), &params),
            Endpoint::History => methods::history(&mailbox, &params),
            _ if !grant.reads_settings() || grant.metadata() => Err(methods::scope_missing()),
            _ => Ok(methods::send_as(&mailbox)),
        }
    }

    /// Checks the whole answer, then keeps the wanted fields and writes it as text.
    fn render(&self, schema: Option<&str>, mut answer: Value) -> Result<Reply, ApiError> {
        if let (Some(discovery), Some(schema)) = (&self.app.discovery, schema) {
            let wrong = discovery.check_answer(schema, &answer);
            self.violate(
                wrong
                    .into_iter()
                    .map(|fault| format!("answer {fault}"))
                    .collect(),
            );
        }
        let value = |name: &str| {
            self.call
                .query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v)
        };
        if let Some(wanted) = value("fields") {
            answer = self.keep_fields(schema, answer, wanted)?;
        }
        let compact = value("prettyPrint").is_some_and(|pretty| pretty == "false");
        let text = if compact {
            answer.to_string()
        } else {
            format!("{answer:#}\n")
        };
        Ok(Reply::json(200, text))
    }

    fn keep_fields(
        &self,
        schema: Option<&str>,
        answer: Value,
        wanted: &str,
    ) -> Result<Value, ApiError> {
        let refuse = |message: String| ApiError::new(400, "invalidParameter", message);
        let selected = fields::parse(wanted)
            .map_err(|rest| refuse(format!("Invalid field selection {rest}")))?;
        if let (Some(discovery), Some(schema)) = (&self.app.discovery, schema) {
            let wrong = discovery.check_fields(schema, &selected);
            if let Some(first) = wrong.first().cloned() {
                self.violate(wrong);
                return Err(refuse(first));
            }
        }
        Ok(fields::keep(answer, &selected.iter().collect::<Vec<_>>()))
    }
}

//! A daemon with the dashboard, and a database in which every text would run if it were not escaped.

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use uuid::Uuid;

use super::World;
use super::service::Service;

pub(crate) const SECRET: &str = "dashboard-secret-of-the-tests";
/// Settings under which nothing runs by itself in a test's lifetime.
pub(crate) const NO_SCHEDULE: &str = "[sync]\nschedule = '0 0 29 2 1'";
/// Would run if it were not escaped: in text, and out of an attribute.
const EVIL: &str = "\"><script>planted()</script><img src=x onerror=planted()>";

pub(crate) const PAGES: [&str; 8] = [
    "/dashboard",
    "/dashboard/attention",
    "/dashboard/alerts",
    "/dashboard/reps",
    "/dashboard/mailboxes",
    "/dashboard/runs",
    "/dashboard/model",
    "/dashboard/find?q=script",
];

pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) service: Service,
    pub(crate) browser: Client,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::of(World::with(NO_SCHEDULE).await).await
    }

    /// The daemon of this world.
    pub(crate) async fn of(world: World) -> Self {
        crm_health_sync::gmail::install_tls_provider();
        let service = Service::start_with(&world, |command| {
            command.env("CRM_HEALTH_DASHBOARD_SECRET", SECRET);
        })
        .await;
        let browser = Client::builder().redirect(Policy::none()).build();
        Self {
            world,
            service,
            browser: browser.expect("a client"),
        }
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Response {
        let request = self.browser.get(format!("{}{path}", self.service.base));
        request.header("cookie", cookie).send().await.expect(path)
    }

    pub(crate) async fn sign_in(&self, secret: &str) -> Response {
        let request = self
            .browser
            .post(format!("{}/dashboard/login", self.service.base));
        request
            .form(&[("secret", secret), ("next", "/dashboard/reps")])
            .send()
            .await
            .expect("an answer")
    }

    /// The cookie of a session.
    pub(crate) async fn cookie(&self) -> String {
        let answer = self.sign_in(SECRET).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "location")),
            (303, "/dashboard/reps")
        );
        let cookie = header(&answer, "set-cookie");
        for part in [
            "Path=/dashboard",
            "HttpOnly",
            "SameSite=Strict",
            "Max-Age=43200",
        ] {
            assert!(cookie.contains(part), "{part} is missing in {cookie}");
        }
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// The page, which must be there.
    pub(crate) async fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.get(path, cookie).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{path}: {text}");
        text
    }
}

pub(crate) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"));
    value.to_str().expect("text")
}

/// What the sections show, with something to run in every text.
pub(crate) async fn plant(site: &Site) -> (Uuid, Uuid) {
    let user = site.world.add_user("rep@acme.example").await;
    let contact = site.world.add_contact(user, "ada@client.example").await;
    let deal = Uuid::new_v4();
    let evil = EVIL;
    site.world
        .execute(&format!(
            "UPDATE profiles SET first_name = '{evil}';
             UPDATE google_integrations SET email = '{evil}', is_active = false;
             UPDATE contacts SET full_name = '{evil}';
             INSERT INTO deals (id, name, company, owner_id, status, stage_id, value)
               SELECT '{deal}', '{evil}', '{evil}', '{user}', 'active', id, 1000 FROM deal_stages LIMIT 1;
             UPDATE deal_stages SET name = '{evil}' WHERE id = (SELECT stage_id FROM deals);
             INSERT INTO deal_health_scores (deal_id, user_id, overall_health_score, health_status, last_calculated_at)
               VALUES ('{deal}', '{user}', 20, 'stalled', now());
             INSERT INTO relationship_health_scores (user_id, relationship_type, contact_id, overall_health_score, health_status, last_calculated_at)
               VALUES ('{user}', 'contact', '{contact}', 30, 'ghost', now());
             INSERT INTO deal_health_history (deal_id, overall_health_score, snapshot_at) VALUES ('{deal}', 80, now() - interval '9 days'), ('{deal}', 20, now());
             INSERT INTO relationship_health_history (relationship_health_id, user_id, overall_health_score, health_status, snapshot_at, snapshot_reason)
               SELECT id, user_id, 70, 'healthy', now() - interval '9 days', 'scheduled' FROM relationship_health_scores;
             INSERT INTO deal_health_alerts (deal_id, user_id, alert_type, severity, title, message, suggested_actions)
               VALUES ('{deal}', '{user}', 'stage_stall', 'critical', '{evil}', '{evil} message', ARRAY['{evil}']);
             INSERT INTO ghost_detection_signals (relationship_health_id, user_id, signal_type, severity, signal_context)
               SELECT id, user_id, 'thread_dropout', 'high', '{evil}' FROM relationship_health_scores;
             INSERT INTO crm_health_sync.mailboxes (user_id, integration_id, state, reason)
               SELECT user_id, id, 'reconnect_required', '{evil}' FROM google_integrations
               -- The daemon that serves the pages may have found the mailbox meanwhile.
               ON CONFLICT (user_id, integration_id) DO UPDATE SET state = excluded.state, reason = excluded.reason;
             INSERT INTO crm_health_sync.runs (daemon, triggered_by, started_at, report) VALUES ('{evil}', '{evil}', now(), jsonb_build_object(
               'success', false, 'usersProcessed', 'many', 'errors', jsonb_build_array(jsonb_build_object('userId', '{user}', 'code', '{evil}', 'reason', '{evil}'))));
             CREATE SCHEMA crm_health;
             CREATE TABLE crm_health.runs (id uuid, started_at timestamptz, finished_at timestamptz, state text, triggered_by text, users_done int,
               deals_refreshed bigint, relationships_refreshed bigint, errors jsonb);
             INSERT INTO crm_health.runs VALUES (gen_random_uuid(), now(), now(), 'failed', '{evil}', 1, 1, 1,
               jsonb_build_array(jsonb_build_object('userId', NULL, 'sqlState', 'XX000', 'reason', '{evil}')));
             CREATE TABLE crm_health.notifications (id bigint, created_at timestamptz, kind text, user_id uuid, subject_type text, subject_id text,
               severity text, title text, detail text, next_step text);
             INSERT INTO crm_health.notifications VALUES (1, now(), '{evil}', '{user}', '{evil}', '{evil}', '{evil}', '{evil}', '{evil}', '{evil}');
             CREATE FUNCTION crm_health.needs_attention(uuid[], int) RETURNS TABLE (kind text, user_id uuid, id uuid, name text, health_score int,
               health_status text, deal_value numeric, reasons text[]) LANGUAGE sql AS
               $$ SELECT 'deal', '{user}'::uuid, '{deal}'::uuid, '{evil}', 20, 'stalled', 1000.0, ARRAY['{evil}'] $$;
             CREATE FUNCTION crm_health.explain_deal(uuid) RETURNS TABLE (signal text, value text, score int, weight numeric, contribution numeric, reason text)
               LANGUAGE sql AS $$ VALUES ('{evil}', '{evil}', 1, 0.3, 1.0, '{evil}'), ('{evil}', '{evil}', NULL, NULL, NULL, '{evil}') $$;
             CREATE FUNCTION crm_health.explain_contact(uuid) RETURNS TABLE (signal text, value text, score int, weight numeric, contribution numeric, reason text)
               LANGUAGE sql AS $$ VALUES ('last_email_subject', '{evil}', 1, 0.3, 1.0, '{evil}') $$;
             CREATE FUNCTION crm_health.daily_job() RETURNS TABLE (job_schedule text, is_active boolean) LANGUAGE sql AS $$ VALUES ('{evil}', true) $$;
             CREATE FUNCTION crm_health.ghost_model_report() RETURNS TABLE (name text, is_active boolean, fitted_at timestamptz, decision text, held_out_by text,
               held_out_rows bigint, horizon_days int, auc float8, brier float8, calibration_error float8, compared_with text, compared_auc float8,
               compared_calibration_error float8, reliability jsonb) LANGUAGE sql AS
               $$ SELECT '{evil}', true, now(), '{evil}', 'user', 10::bigint, 30, 0.8::float8, 0.1::float8, 0.02::float8, '{evil}', 0.7::float8, 0.03::float8,
                  '[{{\"from\": 0, \"to\": 1, \"rows\": 10, \"mean_predicted\": 0.5, \"observed_share\": 0.6}}]'::jsonb $$;
             CREATE FUNCTION crm_health.deal_model_report() RETURNS TABLE (name text, is_active boolean, fitted_at timestamptz, decision text,
               judged_deals bigint, auc float8, brier float8, calibration_error float8, reliability jsonb) LANGUAGE sql AS
               $$ SELECT '{evil}', true, now(), '{evil}', 10::bigint, 0.8::float8, 0.1::float8, 0.02::float8,
                  '[{{\"from\": 0, \"to\": 1, \"rows\": 10, \"mean_predicted\": 0.25, \"observed_share\": 1.0}}]'::jsonb $$"
        ))
        .await;
    (deal, contact)
}

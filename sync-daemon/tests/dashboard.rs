//! The dashboard over HTTP: who gets in, what every answer carries, that nothing from the database runs in a browser, and
//! what is shown where something is missing.

mod support;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use support::World;
use support::service::Service;
use uuid::Uuid;

const SECRET: &str = "dashboard-secret-of-the-tests";
/// Would run if it were not escaped: in text, and out of an attribute.
const EVIL: &str = "\"><script>planted()</script><img src=x onerror=planted()>";

const PAGES: [&str; 8] = [
    "/dashboard",
    "/dashboard/attention",
    "/dashboard/alerts",
    "/dashboard/reps",
    "/dashboard/mailboxes",
    "/dashboard/runs",
    "/dashboard/model",
    "/dashboard/find?q=script",
];

struct Site {
    world: World,
    service: Service,
    browser: Client,
}

impl Site {
    async fn new() -> Self {
        crm_health_sync::gmail::install_tls_provider();
        // No schedule in the test's lifetime.
        let world = World::with("[sync]\nschedule = '0 0 29 2 1'").await;
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

    async fn get(&self, path: &str, cookie: &str) -> Response {
        let request = self.browser.get(format!("{}{path}", self.service.base));
        request.header("cookie", cookie).send().await.expect(path)
    }

    async fn sign_in(&self, secret: &str) -> Response {
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
    async fn cookie(&self) -> String {
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
    async fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.get(path, cookie).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{path}: {text}");
        text
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"));
    value.to_str().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_secret_and_it_is_taken_from_a_form_alone() {
    let site = Site::new().await;
    let in_the_address = format!("/dashboard?secret={SECRET}");
    let paths = PAGES.iter().copied().chain([
        "/dashboard/nowhere",
        "/dashboard/deal/1",
        in_the_address.as_str(),
    ]);
    for path in paths {
        for cookie in [
            "",
            "crm_health_dashboard=",
            "crm_health_dashboard=9999999999.AAAA.AAAA",
        ] {
            let answer = site.get(path, cookie).await;
            assert_eq!(answer.status().as_u16(), 401, "{path} with {cookie:?}");
            let text = answer.text().await.expect("a body");
            assert!(
                text.contains("name=\"secret\"") && !text.contains("Overview"),
                "{text}"
            );
            assert!(!text.contains(SECRET), "the secret is in the page");
        }
    }
    for wrong in ["", "wrong", &SECRET[1..], &format!("{SECRET}x")] {
        let answer = site.sign_in(wrong).await;
        assert_eq!(answer.status().as_u16(), 401, "{wrong:?}");
        assert!(answer.headers().get("set-cookie").is_none());
    }
    let cookie = site.cookie().await;
    for path in PAGES {
        site.page(path, &cookie).await;
    }
    site.service.said("dashboard: a wrong secret").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_a_forged_form_does_nothing() {
    let site = Site::new().await;
    let cookie = site.cookie().await;
    let sign_out = |from: &'static str| {
        let request = site
            .browser
            .post(format!("{}/dashboard/logout", site.service.base));
        request
            .header("cookie", &cookie)
            .header("sec-fetch-site", from)
            .send()
    };
    assert_eq!(
        sign_out("cross-site")
            .await
            .expect("an answer")
            .status()
            .as_u16(),
        403
    );
    site.page("/dashboard", &cookie).await;
    assert_eq!(
        sign_out("same-origin")
            .await
            .expect("an answer")
            .status()
            .as_u16(),
        303
    );
    assert_eq!(site.get("/dashboard", &cookie).await.status().as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_run_out() {
    let site = Site::new().await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(site.sign_in("wrong").await);
    }
    let last = answers.last().expect("an answer");
    assert_eq!(last.status().as_u16(), 429);
    assert!(header(last, "retry-after").parse::<u32>().expect("seconds") <= 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_it_is_off_and_a_guessable_one_refuses_to_start() {
    crm_health_sync::gmail::install_tls_provider();
    let world = World::with("[sync]\nschedule = '0 0 29 2 1'").await;
    let service = Service::start(&world).await;
    for path in ["/dashboard", "/dashboard/login", "/dashboard/runs"] {
        let (status, text) = service.get(path, &[]).await;
        assert_eq!(status, 503, "{path}");
        assert!(text.contains("CRM_HEALTH_DASHBOARD_SECRET"), "{text}");
    }
    let output = world
        .run_daemon(|c| {
            c.arg("run").env("CRM_HEALTH_DASHBOARD_SECRET", "short");
        })
        .await;
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("CRM_HEALTH_DASHBOARD_SECRET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_and_no_page_has_a_script_or_a_foreign_address() {
    let site = Site::new().await;
    let cookie = site.cookie().await;
    for (path, cookie) in PAGES
        .map(|p| (p, cookie.as_str()))
        .into_iter()
        .chain([("/dashboard/login", ""), ("/dashboard/runs", "")])
    {
        let answer = site.get(path, cookie).await;
        let policy = header(&answer, "content-security-policy").to_owned();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src"),
            "{policy}"
        );
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        let text = answer.text().await.expect("a body");
        for foreign in [
            "<script",
            " style=",
            "http://",
            "https://",
            "javascript:",
            " onclick",
        ] {
            assert!(!text.contains(foreign), "{path} has {foreign}");
        }
        let (_, rest) = text
            .split_once("rel=\"stylesheet\" href=\"")
            .expect("a style sheet");
        let style = rest.split('"').next().expect("its address");
        assert_eq!(site.get(style, "").await.status().as_u16(), 200, "{style}");
    }
}

/// What the sections show, with something to run in every text.
async fn plant(site: &Site) -> (Uuid, Uuid) {
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
               SELECT user_id, id, 'reconnect_required', '{evil}' FROM google_integrations;
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
                  '[{{\"from\": 0, \"to\": 1, \"rows\": 10, \"mean_predicted\": 0.5, \"observed_share\": 0.6}}]'::jsonb $$"
        ))
        .await;
    (deal, contact)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_database_is_shown_and_never_run() {
    let site = Site::new().await;
    let (deal, contact) = plant(&site).await;
    let cookie = site.cookie().await;
    let mut paths: Vec<String> = PAGES.map(str::to_owned).to_vec();
    paths.extend([
        format!("/dashboard/deal/{deal}"),
        format!("/dashboard/contact/{contact}"),
    ]);
    paths.push("/dashboard/find?q=%22%3E%3Cscript%3Eplanted()%3C/script%3E".to_owned());
    for path in paths {
        let text = site.page(&path, &cookie).await;
        assert!(text.contains("planted()"), "{path} shows nothing of it");
        for raw in ["<script", "<img", "\"><"] {
            // Our own markup has quote-greater-less too: only with what was planted is it a hole.
            assert!(
                !text.contains(&format!("{raw}script>planted"))
                    && !text.contains("<img")
                    && !text.contains("<script"),
                "{path}: {raw}"
            );
        }
        assert!(!text.contains("could not be read"), "{path}: {text}");
        assert!(!text.contains("Not available"), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_with_its_mend_and_the_rest_is_there() {
    let site = Site::new().await;
    let cookie = site.cookie().await;
    let overview = site.page("/dashboard", &cookie).await;
    assert!(
        overview.contains("CREATE EXTENSION crm_health"),
        "{overview}"
    );
    assert!(overview.contains("No mailbox was synced yet"), "{overview}");
    let model = site.page("/dashboard/model", &cookie).await;
    assert!(model.contains("CREATE EXTENSION crm_health"), "{model}");
    site.world
        .execute("DROP TABLE deal_health_alerts CASCADE; DROP SCHEMA crm_health_sync CASCADE")
        .await;
    let alerts = site.page("/dashboard/alerts", &cookie).await;
    assert!(
        alerts.contains("There is no table deal_health_alerts"),
        "{alerts}"
    );
    let mailboxes = site.page("/dashboard/mailboxes", &cookie).await;
    assert!(mailboxes.contains("crm-health-sync migrate"), "{mailboxes}");
    for nothing in [
        "/dashboard/deal/00000000-0000-0000-0000-000000000000",
        "/dashboard/deal/x",
        "/dashboard/contact/%00",
        "/dashboard/nowhere",
    ] {
        assert_eq!(
            site.get(nothing, &cookie).await.status().as_u16(),
            404,
            "{nothing}"
        );
    }
    for odd in [
        "/dashboard/runs?page=-1",
        "/dashboard/runs?page=99999999999999999999",
        "/dashboard/attention?rep=x&page=x",
        "/dashboard/find?q=%00%25",
        "/dashboard/find?q=%ff",
    ] {
        site.page(odd, &cookie).await;
    }
}

//! The dashboard over HTTP: who gets in, what every answer carries, that nothing from the database runs in a browser, and
//! what is shown where something is missing.

mod support;

use support::World;
use support::service::Service;
use support::site::{PAGES, SECRET, Site, header, plant};
use uuid::Uuid;

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
        // The pages have no scripts and no images of their own.
        for raw in ["<script", "<img"] {
            assert!(!text.contains(raw), "{path}: {raw}");
        }
        assert!(!text.contains("could not be read"), "{path}: {text}");
        assert!(!text.contains("Not available"), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_models_dots_stand_where_what_was_said_meets_what_came_true() {
    let site = Site::new().await;
    plant(&site).await;
    let page = site.page("/dashboard/model", &site.cookie().await).await;
    // On a plot from 44 to 306 and from 280 up to 10: half and six of ten; a quarter and all.
    for (of, said, came_true, dot) in [
        ("fall silent", "50.0 %", "60.0 %", r#"cx="175" cy="118""#),
        ("be won", "25.0 %", "100.0 %", r#"cx="109.5" cy="10""#),
    ] {
        let axis = page.find(&format!(">said to {of}<")).expect("an axis");
        let plot = page[..axis].rfind("<svg").expect("a plot");
        assert!(page[plot..axis].contains(dot), "{}", &page[plot..axis]);
        let table = &page[axis..axis + page[axis..].find("</table>").expect("a table")];
        assert!(table.contains(said) && table.contains(came_true), "{table}");
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

/// Two notifications of another user for each one that a page has room for.
async fn with_two_pages_of_notifications(site: &Site) -> Uuid {
    plant(site).await;
    let other = Uuid::new_v4();
    site.world
        .execute(&format!(
            "INSERT INTO profiles (id, email) VALUES ('{other}', 'other@acme.example');
             INSERT INTO crm_health.notifications
               SELECT n, now(), 'alert_raised', '{other}', 'deal', 'd', 'info', 'told to another ' || n FROM generate_series(2, 51) n"
        ))
        .await;
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_behind_the_end_of_a_list_does_not_say_that_all_is_well() {
    let site = Site::new().await;
    let cookie = site.cookie().await;
    with_two_pages_of_notifications(&site).await;
    site.world
        .execute("DELETE FROM relationship_health_history; DELETE FROM deal_health_history")
        .await;
    for (path, there, untrue) in [
        (
            "/dashboard/alerts",
            "told to another 2<",
            "No alert is active",
        ),
        ("/dashboard/attention", "", "every score is healthy"),
        ("/dashboard/attention", "", "Nothing lost points"),
        ("/dashboard/reps", "", "Nothing is scored yet"),
        ("/dashboard/mailboxes", "", "Connect one with"),
    ] {
        let second = site.page(&format!("{path}?page=1"), &cookie).await;
        assert!(second.contains(there), "{path}: {second}");
        assert!(!second.contains(untrue), "{path}: {untrue} in {second}");
    }
    // Scores that are all healthy, and that are not there, are told apart; what is healthy may have lost points.
    site.world
        .execute(
            "CREATE OR REPLACE FUNCTION crm_health.needs_attention(uuid[], int) RETURNS TABLE (kind text, user_id uuid, id uuid, name text,
               health_score int, health_status text, deal_value numeric, reasons text[]) LANGUAGE sql AS
               $$ SELECT 'deal', NULL::uuid, NULL::uuid, 'none', 20, 'stalled', 1000.0, NULL::text[] WHERE false $$;
             DELETE FROM deal_health_scores; DELETE FROM relationship_health_scores",
        )
        .await;
    for path in ["/dashboard", "/dashboard/attention"] {
        let page = site.page(path, &cookie).await;
        for untrue in ["every score is healthy", "Nothing lost points"] {
            assert!(!page.contains(untrue), "{path}: {untrue} in {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_of_one_rep_are_not_those_of_others() {
    let site = Site::new().await;
    let cookie = site.cookie().await;
    let other = with_two_pages_of_notifications(&site).await;
    let theirs = format!("/dashboard/alerts?rep={other}");
    let page = site.page(&theirs, &cookie).await;
    assert!(page.contains("told to another 51"), "{page}");
    assert!(!page.contains("planted()"), "{page}");
    let rep = site
        .world
        .text("SELECT id::text FROM profiles WHERE email LIKE 'rep@%'")
        .await;
    let theirs = format!("/dashboard/alerts?rep={}", rep.expect("a rep"));
    let page = site.page(&theirs, &cookie).await;
    assert!(page.contains("planted()"), "{page}");
    assert!(!page.contains("told to another"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_other_types_and_odd_dates_are_shown() {
    let site = Site::new().await;
    let (deal, contact) = plant(&site).await;
    let cookie = site.cookie().await;
    site.world
        .execute(
            "ALTER TABLE deal_health_scores ALTER last_calculated_at TYPE timestamp, ALTER overall_health_score TYPE numeric(6,2);
             ALTER TABLE relationship_health_scores ALTER last_calculated_at TYPE timestamp,
               ALTER overall_health_score TYPE double precision;
             ALTER TABLE deal_health_history ALTER snapshot_at TYPE timestamp, ALTER overall_health_score TYPE numeric(6,2);
             ALTER TABLE relationship_health_history ALTER snapshot_at TYPE timestamp;
             ALTER TABLE deal_health_alerts ALTER created_at TYPE timestamp;
             ALTER TABLE ghost_detection_signals ALTER detected_at TYPE timestamp;
             UPDATE deals SET expected_close_date = '20255-03-01', value = 'NaN';
             UPDATE relationship_health_scores SET last_calculated_at = 'infinity'",
        )
        .await;
    let paths = [
        "/dashboard".to_owned(),
        "/dashboard/attention".to_owned(),
        "/dashboard/alerts".to_owned(),
        "/dashboard/find?q=script".to_owned(),
        format!("/dashboard/deal/{deal}"),
        format!("/dashboard/contact/{contact}"),
    ];
    for path in &paths {
        let page = site.page(path, &cookie).await;
        assert!(!page.contains("could not be read"), "{path}: {page}");
    }
    let page = site.page(&paths[4], &cookie).await;
    assert!(page.contains("20255-03-01"), "{page}");
    site.world
        .execute(
            "UPDATE deals SET expected_close_date = 'infinity';
             ALTER TABLE deals ALTER expected_close_date TYPE timestamptz",
        )
        .await;
    let page = site.page(&paths[4], &cookie).await;
    assert!(!page.contains("could not be read"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_probability_is_told_as_certain() {
    let site = Site::new().await;
    let (_, contact) = plant(&site).await;
    let cookie = site.cookie().await;
    for (stored, told) in [(99.7, "over 99 %"), (0.2, "under 1 %"), (41.4, "41 %")] {
        site.world
            .execute(&format!(
                "UPDATE relationship_health_scores SET ghost_probability_percent = {stored}"
            ))
            .await;
        let page = site
            .page(&format!("/dashboard/contact/{contact}"), &cookie)
            .await;
        assert!(page.contains(&format!(">{told}<")), "{told}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_trend_are_those_in_force() {
    let site = Site::new().await;
    let (deal, contact) = plant(&site).await;
    let cookie = site.cookie().await;
    let paths = [
        format!("/dashboard/deal/{deal}"),
        format!("/dashboard/contact/{contact}"),
    ];
    for path in &paths {
        let page = site.page(path, &cookie).await;
        assert!(
            !page.contains("healthy from"),
            "limits that nobody told: {page}"
        );
    }
    site.world
        .execute(
            "CREATE TABLE crm_health.status_cutoffs (model text, status text, min_score integer);
             INSERT INTO crm_health.status_cutoffs VALUES ('deal', 'healthy', 81), ('deal', 'warning', 50), ('deal', 'critical', 25),
               ('relationship', 'healthy', 66), ('relationship', 'at_risk', 44)",
        )
        .await;
    for (path, limits) in paths.iter().zip([
        ["healthy from 81", "critical from 25"],
        ["healthy from 66", "at risk from 44"],
    ]) {
        let page = site.page(path, &cookie).await;
        for limit in limits {
            assert!(page.contains(limit), "{limit} is not in {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_not_understood_is_shown_and_not_called_over() {
    let site = Site::new().await;
    plant(&site).await;
    let cookie = site.cookie().await;
    for (schedule, told) in [("@daily", "next due "), ("30 seconds", "30 seconds")] {
        site.world
            .execute(&format!(
                "CREATE OR REPLACE FUNCTION crm_health.daily_job() RETURNS TABLE (job_schedule text, is_active boolean) LANGUAGE sql AS
                   $$ VALUES ('{schedule}', true) $$;
                 UPDATE crm_health.runs SET state = 'succeeded'"
            ))
            .await;
        let page = site.page("/dashboard", &cookie).await;
        let (_, tile) = page
            .split_once("Daily refresh: last success")
            .expect("a tile");
        let tile = tile.split("Gmail sync").next().unwrap_or_default();
        assert!(tile.contains(told), "{schedule}: {tile}");
        assert!(!tile.contains("never due again"), "{schedule}: {tile}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_turns_the_direction_of_text_turns_nothing_else() {
    let site = Site::new().await;
    let (deal, _) = plant(&site).await;
    let cookie = site.cookie().await;
    let turning = "\u{202e}gnitteG drawkcab";
    site.world
        .execute(&format!(
            "UPDATE deals SET name = '{turning}'; UPDATE profiles SET first_name = '{turning}';
             UPDATE contacts SET full_name = '{turning}'; UPDATE deal_health_alerts SET title = '{turning}', message = '{turning}'"
        ))
        .await;
    for path in [
        "/dashboard".to_owned(),
        "/dashboard/attention".to_owned(),
        "/dashboard/alerts".to_owned(),
        "/dashboard/reps".to_owned(),
        "/dashboard/mailboxes".to_owned(),
        "/dashboard/find?q=drawkcab".to_owned(),
        format!("/dashboard/deal/{deal}"),
    ] {
        let page = site.page(&path, &cookie).await;
        let main = page.split_once("<main").expect("a main part").1;
        // Each begins with a tag and goes on with the text behind it.
        let texts = main.split('<').filter_map(|part| part.split_once('>'));
        let tags: Vec<&str> = texts
            .filter(|(_, text)| text.contains(turning))
            .map(|(tag, _)| tag)
            .collect();
        assert!(!tags.is_empty(), "{path}: {main}");
        assert!(tags.iter().all(|tag| *tag == "bdi"), "{path}: {tags:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_active_alerts_are_counted_and_a_code_is_told_in_words() {
    let site = Site::new().await;
    let (_, contact) = plant(&site).await;
    let cookie = site.cookie().await;
    site.world
        .execute(
            "ALTER TABLE deal_health_alerts DROP CONSTRAINT deal_health_alerts_type_known;
             INSERT INTO deal_health_alerts (deal_id, user_id, alert_type, severity, title)
               SELECT a.deal_id, a.user_id, 'kind_' || n, 'warning', 'alert ' || n FROM deal_health_alerts a, generate_series(1, 1233) n;
             CREATE OR REPLACE FUNCTION crm_health.explain_contact(uuid) RETURNS TABLE (signal text, value text, score int, weight numeric,
               contribution numeric, reason text) LANGUAGE sql AS
               $$ VALUES ('recommended_action', 'urgent', NULL::int, NULL::numeric, NULL::numeric, 'general_ghosting') $$",
        )
        .await;
    let page = site.page("/dashboard", &cookie).await;
    let (_, tile) = page.split_once(">Active alerts</p>").expect("a tile");
    let tile = tile.split("</div>").next().unwrap_or_default();
    assert!(tile.contains(">1,234<"), "{tile}");
    let page = site
        .page(&format!("/dashboard/contact/{contact}"), &cookie)
        .await;
    assert!(page.contains("general ghosting"), "{page}");
}

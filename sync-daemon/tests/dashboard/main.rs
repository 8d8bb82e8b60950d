//! The dashboard over HTTP: who gets in, what every answer carries, that nothing from the database runs in a browser, and
//! what is shown where something is missing.

mod odd_data;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;

use support::World;
use support::service::Service;
use support::site::{PAGES, SECRET, Site, header, plant};
use uuid::Uuid;

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

//! The dashboard and the metrics of the real extension, read by a role that may do no more than its grants.

use super::*;
use support::site::{NO_SCHEDULE, PAGES, Site};

/// A deal and a contact that a refresh has scored, and the pages of the daemon that did it.
async fn scored_site(home: &Home) -> (Site, String) {
    let world = world_with(home, NO_SCHEDULE).await;
    add_rep(&world, REP).await;
    let report = jobs::job(&world, &CancellationToken::new()).await;
    assert!(report.expect("join").success);
    let site = Site::of(world).await;
    let cookie = site.cookie().await;
    (site, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_documented_grants_every_page_is_whole() {
    let home = Home::new();
    let (site, cookie) = scored_site(&home).await;
    let attention = site.page("/dashboard/attention", &cookie).await;
    assert!(
        attention.contains("sql/sync/dashboard.sql"),
        "without its grants a page names the script: {attention}"
    );
    home.grant("dashboard.sql");
    let item = "SELECT concat('/dashboard/', kind, '/', id) FROM crm_health.needs_attention() WHERE kind = $1 LIMIT 1";
    let mut paths = PAGES.map(str::to_owned).to_vec();
    for kind in ["deal", "contact"] {
        let path: String = sqlx::query_scalar(item)
            .bind(kind)
            .fetch_one(&site.world.pool)
            .await
            .expect(kind);
        paths.push(path);
    }
    for path in &paths {
        let text = site.page(path, &cookie).await;
        for trouble in ["Not available", "could not be read"] {
            assert!(!text.contains(trouble), "{path}: {text}");
        }
    }
    let deal = site.page(&paths[PAGES.len()], &cookie).await;
    for part in ["What the score is made of", "Stage velocity"] {
        assert!(deal.contains(part), "{part} is missing in {deal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extensions_metrics_are_among_the_daemons() {
    let home = Home::new();
    let (site, _) = scored_site(&home).await;
    let (status, text) = site.service.get("/metrics", &[]).await;
    assert_eq!(status, 200);
    for sample in [
        "crm_health_sync_extension_metrics_up 1",
        "crm_health_last_run_deals 1.0",
        "crm_health_score_tables_usable 1.0",
    ] {
        assert!(
            text.lines().any(|line| line == sample),
            "{sample} is missing in {text}"
        );
    }
}

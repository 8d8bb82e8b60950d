//! Values of other types and of extremes are shown for what they are.

use super::*;

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

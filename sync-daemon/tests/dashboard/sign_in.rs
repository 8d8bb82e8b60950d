//! Who gets in, and how.

use super::*;

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

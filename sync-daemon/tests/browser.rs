//! The dashboard in a real browser, with something to run in every text of the database: it fits, it can be read and reached
//! by keyboard, nothing runs, and nothing is fetched from elsewhere. The pictures stay in `target/tmp/browser`.

mod support;

use std::path::PathBuf;

use serde_json::json;
use support::site::{SECRET, Site, plant};
use support::webdriver::Browser;

const WHAT_IS_WRONG: &str = include_str!("browser/page.js");
const WHERE_THE_FOCUS_IS: &str = include_str!("browser/focus.js");

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";

/// A phone and a desk, in CSS pixels.
const WIDTHS: [u32; 2] = [375, 1280];

/// Signed in by keyboard, with the address of each page.
struct Visit {
    site: Site,
    browser: Browser,
    /// Short name, path.
    pages: Vec<(&'static str, String)>,
    pictures: PathBuf,
}

impl Visit {
    async fn new() -> Self {
        let site = Site::new().await;
        let (deal, _) = plant(&site).await;
        // A word that fits nowhere breaks.
        site.world
            .execute("UPDATE profiles SET last_name = repeat('W', 120); UPDATE deals SET company = repeat('W', 120)")
            .await;
        let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
        std::fs::create_dir_all(&pictures).expect("a folder for pictures");
        let browser = Browser::start(&pictures).await;
        let pages = ["attention", "alerts", "mailboxes", "runs"]
            .map(|name| (name, format!("/dashboard/{name}")));
        let mut pages = pages.to_vec();
        pages.push(("overview", "/dashboard".to_owned()));
        pages.push(("deal", format!("/dashboard/deal/{deal}")));
        let visit = Self {
            site,
            browser,
            pages,
            pictures,
        };
        visit.listen_for_what_was_planted().await;
        visit.sign_in().await;
        visit
    }

    async fn open(&self, path: &str) {
        let base = &self.site.service.base;
        self.browser.open(&format!("{base}{path}")).await;
    }

    /// What the planted markup calls is there, before anything of a page: were it run, it would tell.
    async fn listen_for_what_was_planted(&self) {
        let source = json!({"source": "window.planted = () => { window.wasPlanted = true; };"});
        self.browser
            .command("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    /// The form has the keyboard: the secret and Enter are enough.
    async fn sign_in(&self) {
        self.open("/dashboard/login").await;
        self.until("return document.hasFocus() && document.activeElement.id === 'secret'")
            .await;
        self.browser.press(&format!("{SECRET}{ENTER}")).await;
        self.until(
            "return location.pathname === '/dashboard' && document.readyState === 'complete'",
        )
        .await;
    }

    /// Waits for what the browser does in its own time.
    async fn until(&self, script: &str) {
        for _ in 0..1500 {
            if self.browser.run(script).await == true {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let address = self.browser.address().await;
        panic!("it never came true at {address}: {script}");
    }

    /// `scheme`: light or dark.
    async fn look_like(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.browser
            .command("Emulation.setDeviceMetricsOverride", size)
            .await;
        // Nothing is seen in the midst of a change.
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.browser
            .command("Emulation.setEmulatedMedia", media)
            .await;
    }

    /// What is wrong with the page that is open.
    async fn complaints(&self, what: &str) -> Vec<String> {
        let wrong = self.browser.run(WHAT_IS_WRONG).await;
        let wrong = wrong.as_array().expect("a list").iter();
        let wrong = wrong.map(|w| w.as_str().expect("a sentence").to_owned());
        wrong
            .chain(self.browser.errors().await)
            .map(|w| format!("{what}: {w}"))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_fits_and_can_be_read_and_nothing_in_it_runs() {
    let visit = Visit::new().await;
    let mut wrong = Vec::new();
    for width in WIDTHS {
        for scheme in ["light", "dark"] {
            visit.look_like(width, scheme).await;
            for (name, path) in &visit.pages {
                visit.open(path).await;
                let is_as_wanted = format!(
                    "return innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches"
                );
                assert_eq!(visit.browser.run(&is_as_wanted).await, true);
                let what = format!("{name}-{width}-{scheme}");
                wrong.extend(visit.complaints(&what).await);
                let picture = visit.pictures.join(format!("{what}.png"));
                visit.browser.save_picture(&picture).await;
            }
        }
    }
    // Escaping holds by itself, without the policy that forbids scripts.
    let without = json!({"enabled": true});
    visit.browser.command("Page.setBypassCSP", without).await;
    for (name, path) in &visit.pages {
        visit.open(path).await;
        let what = format!("{name} without a policy");
        wrong.extend(visit.complaints(&what).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_reaches_everything_and_it_is_seen_where_it_is() {
    let visit = Visit::new().await;
    for (width, scheme) in [(375, "dark"), (1280, "light")] {
        visit.look_like(width, scheme).await;
        for (name, path) in &visit.pages {
            visit.open(path).await;
            let count = visit.browser.run(WHERE_THE_FOCUS_IS).await["count"].clone();
            let count = count.as_u64().expect("a number");
            assert!(count > 10, "{name}: only {count} to reach");
            for index in 0..count {
                visit.browser.press(TAB).await;
                let at = visit.browser.run(WHERE_THE_FOCUS_IS).await;
                assert_eq!(
                    at["index"], index,
                    "{name}, {width} px: Tab reaches {}",
                    at["name"]
                );
                assert_eq!(at["is_seen"], true, "{name}, {width} px: {}", at["name"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_the_overview_is_there() {
    let visit = Visit::new().await;
    let off = json!({"value": true});
    let browser = &visit.browser;
    browser
        .command("Emulation.setScriptExecutionDisabled", off)
        .await;
    browser
        .open("data:text/html,<p>off</p><script>document.querySelector('p').textContent = 'on'</script>")
        .await;
    assert_eq!(browser.texts("p").await, ["off"], "scripts still run");
    visit.open("/dashboard").await;
    assert_eq!(browser.texts("h1").await, ["Overview"]);
    let sections = browser.texts("h2").await;
    assert!(
        sections.iter().any(|s| s == "Needs attention"),
        "{sections:?}"
    );
}

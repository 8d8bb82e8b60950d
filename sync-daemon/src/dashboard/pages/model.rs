//! How right the models are: what was kept when they were fitted, never computed for a page.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::answer;
use crate::dashboard::catalog::Source;
use crate::dashboard::data::{Bin, DealModel, GhostModel};
use crate::dashboard::parts::{card, figure, list, table, text};
use crate::dashboard::reader::{Part, arguments};
use crate::dashboard::{Dashboard, chart, layout, words};
use crate::failure::Failure;

/// What ships, on users held out, at 30 days: corpus, AUC, Brier, calibration error (docs/ghost-model.md).
const SHIPPED: [(&str, f64, f64, f64); 3] = [
    ("enron", 0.801, 0.164, 0.027),
    ("radoslaw", 0.820, 0.174, 0.027),
    ("w3c", 0.882, 0.051, 0.026),
];

/// `/dashboard/model`
pub(in crate::dashboard) async fn model(State(dashboard): State<Dashboard>) -> Response {
    answer(page(&dashboard).await)
}

async fn page(dashboard: &Dashboard) -> Result<Markup, Failure> {
    let (reader, now) = (dashboard.open().await?, Dashboard::now());
    let needed = [Source::Function("ghost_model_report")];
    let fits: Part<Vec<GhostModel>> = reader
        .rows(
            &needed,
            include_str!("../sql/ghost_models.sql"),
            arguments(),
        )
        .await;
    let needed = [Source::Function("deal_model_report")];
    let pipelines: Part<Vec<DealModel>> = reader
        .rows(&needed, include_str!("../sql/deal_models.sql"), arguments())
        .await;
    let none = "Nothing was fitted on the deals of this deployment yet: the chance to close follows the score.";
    let of_deals = list(&pipelines, none, deals);
    let body = html! {
        p { "The chance that a contact stays silent, held against what came. A model is right where the dots lie on the diagonal: of those said to fall silent with 70 %, seven of ten did." }
        (list(&fits, "There is no model.", |fits| models(fits, now)))
        (card("deals", "Deals won within 90 days", None, &of_deals))
    };
    Ok(layout::page("Ghost model", "/dashboard/model", now, &body))
}

fn models(fits: &[GhostModel], now: DateTime<Utc>) -> Markup {
    let in_use: Vec<&GhostModel> = fits.iter().filter(|fit| fit.is_active).collect();
    // The one in use may be what ships, which this deployment has never judged; a fit was judged beside it.
    let judged: Vec<&GhostModel> = if in_use.iter().any(|fit| fit.reliability.is_some()) {
        in_use.clone()
    } else {
        let newest = fits
            .iter()
            .find(|fit| fit.reliability.is_some())
            .map(|fit| &fit.name);
        fits.iter()
            .filter(|fit| Some(&fit.name) == newest)
            .collect()
    };
    html! {
        @if let Some(model) = in_use.first() {
            p { "In use: " strong { (model.name) } ". " span.quiet { (model.decision) ", there since " (words::moment(model.fitted_at, now)) } }
        }
        @for fit in &judged {
            @if let Some(bins) = &fit.reliability { (plot(fit, bins)) }
        }
        @if judged.iter().all(|fit| fit.reliability.is_none()) { (shipped()) }
        (card("fits", "Fits", None, &all(fits)))
    }
}

fn plot(fit: &GhostModel, bins: &[Bin]) -> Markup {
    let horizon = fit.horizon_days.unwrap_or_default();
    let heading = format!("Silence within {horizon} days");
    let body = html! {
        div.two {
            (chart::reliability(bins, fit.calibration_error, ["said to fall silent", "fell silent"]))
            div {
                p { (fit.name) " on " (words::number(fit.held_out_rows)) " moments of "
                    (if fit.held_out_by.as_deref() == Some("contact") { "contacts" } else { "users" }) " that it never saw." }
                (table("Bins of the plot", &[figure("Said"), figure("Came true"), figure("Moments")], &in_bins(bins)))
            }
        }
    };
    card(&format!("h{horizon}"), &heading, None, &body)
}

/// What was said, what came true, and how often, of each bin that is not empty.
fn in_bins(bins: &[Bin]) -> Vec<Vec<Markup>> {
    let percent =
        |share: Option<f64>| share.map_or("–".to_owned(), |s| format!("{:.1} %", 100.0 * s));
    let row = |bin: &Bin| {
        vec![
            html! { (percent(bin.mean_predicted)) },
            html! { (percent(bin.observed_share)) },
            html! { (words::number(bin.rows as i64)) },
        ]
    };
    bins.iter().filter(|bin| bin.rows > 0).map(row).collect()
}

/// The pipeline in use, or else the newest, as one fitted 90 days earlier was right; and all fits.
fn deals(fits: &[DealModel]) -> Markup {
    html! {
        @if let Some((fit, bins)) = fits.first().and_then(|fit| Some((fit, fit.reliability.as_ref()?))) {
            div.two {
                (chart::reliability(bins, fit.calibration_error, ["said to be won", "were won"]))
                div {
                    p { "One fitted as " (fit.name) " was, but 90 days earlier, on the "
                        (words::number(fit.judged_deals.unwrap_or_default())) " deals then open." }
                    (table("Bins of the deals' plot", &[figure("Said"), figure("Came true"), figure("Deals")], &in_bins(bins)))
                }
            }
        }
        (deal_fits(fits))
    }
}

fn deal_fits(fits: &[DealModel]) -> Markup {
    let columns = [
        text("Name"),
        text("Fitted"),
        text("Decision"),
        figure("AUC"),
        figure("Brier"),
        figure("Calibration error"),
    ];
    let row = |fit: &DealModel| {
        vec![
            html! { (fit.name) @if fit.is_active { " " strong { "in use" } } },
            html! { (words::exact(fit.fitted_at)) },
            html! { (fit.decision) },
            number(fit.auc),
            number(fit.brier),
            number(fit.calibration_error),
        ]
    };
    let rows: Vec<_> = fits.iter().map(row).collect();
    table("Fits of the deals", &columns, &rows)
}

fn number(value: Option<f64>) -> Markup {
    html! { (value.map_or("–".to_owned(), |v| format!("{v:.3}"))) }
}

fn shipped() -> Markup {
    let rows: Vec<_> = SHIPPED
        .iter()
        .map(|(corpus, auc, brier, error)| {
            vec![
                html! { (corpus) },
                html! { (format!("{auc:.3}")) },
                html! { (format!("{brier:.3}")) },
                html! { (format!("{error:.3}")) },
            ]
        })
        .collect();
    let body = html! {
        p { "Nothing was fitted on this deployment's own history yet: crm_health.schedule() does it on Sundays, where there is enough history. "
            "Until then the constants that ship are used; on public mail corpora, for users they were not learned from, they were this right:" }
        (table("The constants that ship, silence within 30 days",
            &[text("Corpus"), figure("AUC"), figure("Brier"), figure("Calibration error")], &rows))
    };
    card("shipped", "What ships", None, &body)
}

fn all(fits: &[GhostModel]) -> Markup {
    let columns = [
        text("Name"),
        // What ships was not fitted here.
        text("There since"),
        text("Decision"),
        figure("Days"),
        figure("AUC"),
        figure("Brier"),
        figure("Calibration error"),
        text("Then in use"),
    ];
    let rows: Vec<_> = fits.iter().map(|fit| vec![
        html! { (fit.name) @if fit.is_active { " " strong { "in use" } } },
        html! { (words::exact(fit.fitted_at)) },
        html! { (fit.decision) },
        html! { (fit.horizon_days.map_or("–".to_owned(), |d| d.to_string())) },
        number(fit.auc),
        number(fit.brier),
        number(fit.calibration_error),
        html! {
            (fit.compared_with.as_deref().unwrap_or("–"))
            @if let (Some(auc), Some(error)) = (fit.compared_auc, fit.compared_calibration_error) {
                " " span.quiet { (format!("AUC {auc:.3}, error {error:.3}")) }
            }
        },
    ]).collect();
    table(
        "AUC: higher is better, 0.5 is chance. Brier and calibration error: lower is better",
        &columns,
        &rows,
    )
}

//! How the cost of a refresh grows: with what is stale, and with nothing else.

use postgres::types::ToSql;

use crate::data::{self, Scale};
use crate::measure::{Cost, Session};
use crate::peers::{as_of, tidy};
use crate::report;

const OURS: &str = "SELECT contact_id, company_id FROM crm_health.refresh_relationships($1, 0, $2)";

/// Calls that find all scores fresh, beside a plain SELECT of the same scores.
pub(crate) fn fresh(session: &mut Session, scale: &Scale) {
    // A hundred years: the scores are of the generated June.
    let contacts = [
        (
            "plain SELECT of the scores",
            "SELECT contact_id, overall_health_score, health_status, false FROM public.relationship_health_scores
             WHERE user_id = $1 AND contact_id IS NOT NULL",
        ),
        (
            "the same in a SECURITY DEFINER function",
            "SELECT contact_id, health_score, health_status, updated FROM bench.read_contacts($1)",
        ),
        (
            "the SELECT, and contacts without a score",
            "SELECT c.id, s.overall_health_score, s.health_status, s.last_calculated_at >= '2000-01-01'
             FROM public.contacts c
             LEFT JOIN public.relationship_health_scores s ON s.user_id = $1 AND s.contact_id = c.id
             WHERE c.owner_id = $1",
        ),
        (
            "that in a SECURITY DEFINER function",
            "SELECT contact_id, health_score, health_status, updated FROM bench.check_contacts($1)",
        ),
        (
            "ours, all fresh",
            "SELECT contact_id, health_score, health_status, updated FROM public.refresh_relationship_health_scores($1, 876600)",
        ),
    ];
    let deals = [
        (
            "plain SELECT of the scores",
            "SELECT deal_id, overall_health_score, health_status, false FROM public.deal_health_scores WHERE user_id = $1",
        ),
        (
            "the same in a SECURITY DEFINER function",
            "SELECT deal_id, health_score, health_status, updated FROM bench.read_deals($1)",
        ),
        (
            "the SELECT, and deals without a score",
            "SELECT d.id, s.overall_health_score, s.health_status, s.last_calculated_at >= '2000-01-01'
             FROM public.deals d
             LEFT JOIN public.deal_health_scores s ON s.user_id = $1 AND s.deal_id = d.id
             WHERE d.owner_id = $1 AND d.status = 'active'",
        ),
        (
            "that in a SECURITY DEFINER function",
            "SELECT deal_id, health_score, health_status, updated FROM bench.check_deals($1)",
        ),
        (
            "ours, all fresh",
            "SELECT deal_id, health_score, health_status, updated FROM public.refresh_deal_health_scores($1, 876600)",
        ),
    ];
    let titled = [
        ("Fresh contacts, a call a user", contacts),
        ("Fresh deals, a call a user", deals),
    ];
    let users = scale.users(session, scale.users);
    // Each user several times: one pass is over too soon to be measured in ticks.
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    session.measure(
        "SELECT deal_id FROM crm_health.refresh_deals($1, 0, $2)",
        &[&[&users, &as_of(0)]],
    );
    tidy(session);
    let passes = (1000 / users.len()).max(1);
    let one: Vec<&(dyn ToSql + Sync)> = users.iter().map(|user| user as _).collect();
    let calls: Vec<&[&(dyn ToSql + Sync)]> =
        one.chunks(1).cycle().take(one.len() * passes).collect();
    for (title, kinds) in titled {
        let mut costs = kinds.map(|(name, sql)| (name.to_owned(), sql, Vec::new()));
        for _ in 0..scale.rounds {
            for (_, sql, costs) in &mut costs {
                costs.push(session.measure(sql, &calls));
            }
        }
        let costs = costs.map(|(name, _, costs)| (name, costs));
        report::table(title, &costs, 0);
    }
}

/// More users in a call. Before each the scores of all are brought to the day before, so that as many change in each.
pub(crate) fn users(session: &mut Session, scale: &Scale) {
    let all = scale.users(session, scale.users);
    let mut costs = [10, 50, 100, 200].map(|count| (format!("{count} users"), count, Vec::new()));
    for round in 1..=scale.rounds {
        for (_, count, costs) in &mut costs {
            let users = scale.users(session, *count);
            session.measure(OURS, &[&[&all, &as_of(round - 1)]]);
            tidy(session);
            // A call that is not counted takes in most of what VACUUM made known.
            session.measure(OURS, &[&[&users[..1].to_vec(), &as_of(round - 1)]]);
            costs.push(session.measure(OURS, &[&[&users, &as_of(round)]]));
        }
    }
    let costs = costs.map(|(name, _, costs)| (name, costs));
    report::table("More users in a call (see µs a row)", &costs, 0);
}

/// Contacts that belong to companies, five each: every event counts for both.
pub(crate) fn companies(session: &mut Session, scale: &Scale) {
    session.run(
        "INSERT INTO public.companies (id, name)
           SELECT bench.id('company', n), 'Company ' || n FROM (SELECT DISTINCT n / 5 AS n FROM bench.contact) c;
         UPDATE public.contacts c SET company_id = bench.id('company', b.n / 5) FROM bench.contact b WHERE b.id = c.id;",
    );
    session.run("VACUUM (ANALYZE) public.contacts");
    let users = scale.users(session, scale.users);
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    let costs = ours(session, scale, &users);
    report::table(
        "With companies, a day later",
        &[("ours, contacts and companies".to_owned(), costs)],
        0,
    );
    session.run(
        "UPDATE public.contacts SET company_id = NULL;
         DELETE FROM public.relationship_health_scores WHERE company_id IS NOT NULL;",
    );
    session.run("VACUUM (ANALYZE) public.contacts, public.relationship_health_scores");
}

/// The same recent months after one year, and after five. Twice after one: what the second time costs more is not due to
/// the years.
pub(crate) fn history(session: &mut Session, scale: &Scale) {
    let count = scale.users.min(20);
    let users = scale.users(session, count);
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    let after_one = ours(session, scale, &users);
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    let again = ours(session, scale, &users);
    data::events(session, (0, count - 1), (365, 5 * 365), 4 * scale.events, 1);
    session.run("VACUUM (ANALYZE) public.communication_events");
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    let after_five = ours(session, scale, &users);
    report::table(
        &format!("Longer history, {count} users, a day later"),
        &[
            ("one year".to_owned(), after_one),
            ("one year, again".to_owned(), again),
            ("five years".to_owned(), after_five),
        ],
        0,
    );
}

fn ours(session: &mut Session, scale: &Scale, users: &[uuid::Uuid]) -> Vec<Cost> {
    (1..=scale.rounds)
        .map(|round| {
            tidy(session);
            session.measure(OURS, &[&[&users, &as_of(round)]])
        })
        .collect()
}

//! Events need not be copied to be measured: any row that tells the same is measured the same.

use crm_health_scoring::interaction::{Direction, EventRow, EventType, Instant, Interaction};
use crm_health_scoring::relationship::{self, Ordered, RelationshipInputs};

use crate::fixtures::{NOW, answer, met, received, sent, toned};

/// A row as a caller may have it: its subject lies elsewhere.
struct Lent<'a> {
    row: Interaction,
    subject: &'a str,
}

impl EventRow for Lent<'_> {
    fn at(&self) -> Instant {
        self.row.at
    }

    fn id(&self) -> u128 {
        self.row.id
    }

    fn event_type(&self) -> EventType {
        self.row.event_type
    }

    fn direction(&self) -> Direction {
        self.row.direction
    }

    fn external_key(&self) -> Option<u128> {
        self.row.external_key
    }

    fn thread_key(&self) -> Option<u128> {
        self.row.thread_key
    }

    fn thread_position(&self) -> Option<i32> {
        self.row.thread_position
    }

    fn was_replied(&self) -> bool {
        self.row.was_replied
    }

    fn was_opened(&self) -> bool {
        self.row.was_opened
    }

    fn response_time_hours(&self) -> Option<f64> {
        self.row.response_time_hours
    }

    fn sentiment(&self) -> Option<f64> {
        self.row.sentiment
    }

    fn subject(&self) -> Option<&str> {
        Some(self.subject)
    }
}

/// Three unanswered e-mails in one thread, an answer, and others, twice over.
fn rows() -> Vec<Interaction> {
    let thread = |days, place| Interaction {
        thread_key: Some(7),
        thread_position: Some(place),
        external_key: Some(place.unsigned_abs().into()),
        ..sent(days)
    };
    let replied = Interaction {
        was_replied: true,
        was_opened: true,
        ..sent(40.0)
    };
    let rows = [
        thread(8.0, 3),
        thread(9.0, 2),
        thread(10.0, 1),
        answer(20.0, 5.0),
        toned(21.0, -0.4),
        received(70.0),
        replied,
    ];
    [rows.clone(), rows].concat()
}

#[test]
fn rows_in_another_form_are_measured_alike() {
    let told: Vec<Interaction> = rows()
        .into_iter()
        .map(|row| Interaction {
            subject: Some("the rollout".to_owned()),
            ..row
        })
        .collect();
    let lent: Vec<Lent<'_>> = rows()
        .into_iter()
        .zip(&told)
        // The ids of both calls differ; those of the first count.
        .map(|(row, told)| Lent {
            row: Interaction { id: told.id, ..row },
            subject: "the rollout",
        })
        .collect();
    let meetings = [met(3.0, Some(0.5))];
    let inputs = RelationshipInputs {
        interactions: &told,
        meetings: &meetings,
        opens_tracked: true,
        total_deal_value: 10.0,
        at_risk_deal_value: 9.0,
    };
    let of_lent = RelationshipInputs {
        interactions: &lent,
        meetings: &meetings,
        opens_tracked: true,
        total_deal_value: 10.0,
        at_risk_deal_value: 9.0,
    };
    let measured = relationship::measure(&inputs, NOW);
    assert!(!measured.signals.is_empty(), "or subjects are not told");
    let lent = Ordered::new(of_lent, NOW);
    assert_eq!(lent.measure(), measured);
    let cited: Vec<u128> = Ordered::new(inputs, NOW)
        .cited()
        .map(|row| row.id)
        .collect();
    let lent_cited: Vec<u128> = lent.cited().map(|row| row.row.id).collect();
    assert_eq!(lent_cited, cited);
    assert!(!cited.is_empty());
}

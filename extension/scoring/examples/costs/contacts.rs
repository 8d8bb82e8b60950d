//! Contacts like those of the benchmark, the same on every run.

use crm_health_scoring::config::Config;
use crm_health_scoring::interaction::{Direction, EventType, Instant, Interaction, Meeting};
use crm_health_scoring::relationship::{
    Measured, RelationshipInputs, RelationshipScore, measure, score_with,
};
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{Assessment, Streams, assess};

const DAY_MICROS: i64 = 86_400_000_000;
/// 2026-06-01.
pub(crate) const TODAY: Day = 20_605;
pub(crate) const NOW: Instant = Instant(TODAY as i64 * DAY_MICROS + 7 * 3_600_000_000);
/// Events older than this are told by a kept state of the streams.
const WINDOW_DAYS: i64 = 90;
/// Days before today up to which a kept state is made.
const SEALED_DAYS: Day = 30;
const EVENTS: u32 = 40;

/// Contacts, each unlike the others.
pub(crate) fn generate(count: usize, config: &Config) -> Vec<Contact> {
    let mut random = Random(1);
    (0..count)
        .map(|_| Contact::generate(&mut random, config))
        .collect()
}

/// A contact with what a refresh has of it, and what the steps before another one made of it.
pub(crate) struct Contact {
    pub(crate) interactions: Vec<Interaction>,
    pub(crate) meetings: Vec<Meeting>,
    /// All days of a year, ascending.
    pub(crate) year: Vec<(Day, bool)>,
    /// Days after those that the kept state holds.
    pub(crate) recent: Vec<(Day, bool)>,
    pub(crate) kept: Streams,
    pub(crate) streams: Streams,
    pub(crate) measured: Measured,
    pub(crate) silence: Option<Assessment>,
    pub(crate) score: RelationshipScore,
}

impl Contact {
    fn generate(random: &mut Random, config: &Config) -> Self {
        let silent_days = if random.chance() < 0.3 {
            1.0 + 300.0 * random.chance()
        } else {
            0.0
        };
        let span = (365.0 - silent_days) / f64::from(EVENTS);
        let events: Vec<Interaction> = (0..EVENTS)
            .map(|place| {
                let left = f64::from(EVENTS - place - 1) + random.chance();
                event(random, silent_days + span * left)
            })
            .collect();
        let meetings: Vec<Meeting> = (0..2).map(|_| meeting(random)).collect();
        let year: Vec<(Day, bool)> = events
            .iter()
            .map(|event| (day_of(event.at), event.direction == Direction::Inbound))
            .collect();
        let sealed = year.partition_point(|day| day.0 <= TODAY - SEALED_DAYS);
        let kept = Streams::from_days(&year[..sealed], TODAY, &config.silence);
        let streams = Streams::from_days(&year, TODAY, &config.silence);
        let interactions = of_the_window(&events);
        let measured = measure(&inputs(&interactions, &meetings), NOW);
        let silence = assess(&streams, TODAY, config.ghost_cutoff, &config.silence);
        let score = score_with(&measured.metrics, silence.as_ref(), config);
        Self {
            recent: year[sealed..].to_vec(),
            year,
            interactions,
            meetings,
            kept,
            streams,
            measured,
            silence,
            score,
        }
    }
}

/// What a refresh reads: the events of the window, and where it lacks one the newest of those before: any, inbound, and
/// meaningful.
fn of_the_window(events: &[Interaction]) -> Vec<Interaction> {
    let start = NOW.minus_days(WINDOW_DAYS);
    let kinds: [fn(&Interaction) -> bool; 3] = [
        |_| true,
        |event| event.direction == Direction::Inbound,
        |event| event.was_replied,
    ];
    let mut wanted: Vec<usize> = (0..events.len())
        .filter(|index| events[*index].at >= start)
        .collect();
    for kind in kinds {
        wanted.extend(events.iter().rposition(kind));
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted
        .into_iter()
        .map(|index| events[index].clone())
        .collect()
}

fn event(random: &mut Random, days_ago: f64) -> Interaction {
    let (kind, luck) = (random.chance(), random.chance());
    let event_type = match kind {
        ..0.45 => EventType::EmailSent,
        ..0.85 => EventType::EmailReceived,
        ..0.90 => EventType::EmailOpened,
        ..0.95 => EventType::CallMade,
        ..0.98 => EventType::MeetingHeld,
        _ => EventType::CallReceived,
    };
    let direction = match event_type {
        EventType::EmailReceived | EventType::CallReceived => Direction::Inbound,
        EventType::EmailOpened => Direction::System,
        _ => Direction::Outbound,
    };
    let received = event_type == EventType::EmailReceived;
    let id = random.id();
    Interaction {
        at: Instant(NOW.0 - (days_ago * DAY_MICROS as f64) as i64),
        id,
        event_type,
        direction,
        external_key: event_type.is_email().then(|| random.id()),
        thread_key: Some(random.id()),
        thread_position: Some(1 + (id % 3) as i32),
        was_replied: event_type.is_email() && luck < 0.45,
        was_opened: event_type == EventType::EmailSent && luck < 0.5,
        response_time_hours: (received && luck < 0.6).then(|| (6000.0 * luck).round() / 100.0),
        sentiment: (event_type.is_email() && luck < 0.4)
            .then(|| (500.0 * luck - 100.0).round() / 100.0),
        subject: None,
    }
}

fn meeting(random: &mut Random) -> Meeting {
    let days_ago = 365.0 * random.chance() - 20.0;
    Meeting {
        start: Instant(NOW.0 - (days_ago * DAY_MICROS as f64) as i64),
        id: random.id(),
        sentiment: (random.chance() < 0.5)
            .then(|| (200.0 * random.chance() - 100.0).round() / 100.0),
        title: Some("Meeting".to_owned()),
    }
}

pub(crate) fn inputs<'a>(
    interactions: &'a [Interaction],
    meetings: &'a [Meeting],
) -> RelationshipInputs<'a> {
    RelationshipInputs {
        interactions,
        meetings,
        opens_tracked: true,
        total_deal_value: 10_000.0,
        at_risk_deal_value: 4_000.0,
    }
}

fn day_of(at: Instant) -> Day {
    at.0.div_euclid(DAY_MICROS) as Day
}

/// The same numbers on every run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    fn chance(&mut self) -> f64 {
        self.bits() as f64 / f64::from(u32::MAX)
    }

    fn id(&mut self) -> u128 {
        (0..4).fold(0, |id, _| id << 32 | u128::from(self.bits()))
    }
}

//! Rules as they stand in a table, checked, and what they say of a deal.

use serde::Deserialize;
use serde_json::Value;

use super::facts::{DealFacts, Metric};
use super::template::Template;
use super::{AlertSeverity, AlertType, words as wording};
use crate::number::{above, below};

/// A template is at most so many characters.
const TEMPLATE_CHARACTERS: usize = 2000;

text_enum! {
    /// How the metric is compared with the threshold; the metric stands on the left.
    pub enum Operator {
        /// More than.
        Above = ">",
        /// Less than.
        Below = "<",
        /// At least.
        AtLeast = ">=",
        /// At most.
        AtMost = "<=",
        /// The same.
        Equal = "=",
    }
}

text_enum! {
    /// How soon an alert wants an answer.
    pub enum Priority {
        /// When there is time.
        Medium = "medium",
        /// At once.
        Urgent = "urgent",
    }
}

/// A row of the table of rules, as it was found. Columns that are not known here are passed over.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RuleRow {
    /// Its name.
    #[serde(default)]
    pub rule_name: Option<String>,
    /// What is tested: the word of a [`Metric`].
    #[serde(default)]
    pub rule_type: Option<String>,
    /// What it is compared with, a JSON number.
    #[serde(default)]
    pub threshold_value: Option<Value>,
    /// The word of an [`Operator`].
    #[serde(default)]
    pub threshold_operator: Option<String>,
    /// The unit of the metric, or nothing.
    #[serde(default)]
    pub threshold_unit: Option<String>,
    /// The word of an [`AlertType`], or nothing for the metric's own.
    #[serde(default)]
    pub alert_type: Option<String>,
    /// The word of an [`AlertSeverity`].
    #[serde(default)]
    pub alert_severity: Option<String>,
    /// What the alert says.
    #[serde(default)]
    pub alert_message_template: Option<String>,
    /// What to do: an action a line.
    #[serde(default)]
    pub suggested_action_template: Option<String>,
    /// An object of conditions, or nothing.
    #[serde(default)]
    pub conditions: Option<Value>,
}

/// What is wrong with a rule: a clause that names the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub String);

/// A rule that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    name: String,
    metric: Metric,
    operator: Operator,
    threshold: f64,
    alert_type: AlertType,
    severity: AlertSeverity,
    message: Template,
    actions: Vec<Template>,
    conditions: Conditions,
}

/// When a rule applies at all. What is unknown of a deal meets no condition.
#[derive(Clone, Debug, Default, PartialEq)]
struct Conditions {
    stages: Option<Vec<String>>,
    value_min: Option<f64>,
    value_max: Option<f64>,
    has_close_date: Option<bool>,
}

/// An alert that holds for a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub alert_type: AlertType,
    /// How grave it is.
    pub severity: AlertSeverity,
    /// Its heading: plain text.
    pub title: String,
    /// What it says: plain text.
    pub message: String,
    /// What to do, in order.
    pub suggested_actions: Vec<String>,
    /// How soon.
    pub priority: Priority,
    /// The rule that raised it.
    pub rule_name: String,
    /// A number for its words: [`Rule::said`].
    pub said: u64,
}

/// The words of an enumeration, for a message.
pub(super) fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> String {
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    words.join(", ")
}

macro_rules! word_of {
    ($column:literal, $text:expr, $type:ty) => {{
        let text = $text.unwrap_or_default();
        <$type>::parse(text).ok_or_else(|| {
            let known = words(<$type>::ALL, |one| one.as_str());
            RuleError(match text {
                "" => format!("{} is missing, expected one of {known}", $column),
                _ => format!("unknown {} \"{text}\", expected one of {known}", $column),
            })
        })
    }};
}

impl Rule {
    /// Checks a row.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(row: &RuleRow) -> Result<Self, RuleError> {
        let metric = word_of!("rule_type", row.rule_type.as_deref(), Metric)?;
        let alert_type = match row.alert_type.as_deref() {
            None => metric.alert_type(),
            Some(word) => word_of!("alert_type", Some(word), AlertType)?,
        };
        if let Some(unit) = row.threshold_unit.as_deref()
            && unit != metric.unit()
        {
            return Err(RuleError(format!(
                "unknown threshold_unit \"{unit}\", expected {} for {metric}, or none",
                metric.unit()
            )));
        }
        let message = row.alert_message_template.as_deref().unwrap_or_default();
        if message.trim().is_empty() {
            return Err(RuleError("alert_message_template is missing".to_owned()));
        }
        let actions = row.suggested_action_template.as_deref().unwrap_or_default();
        Ok(Self {
            name: row.rule_name.clone().unwrap_or_default(),
            metric,
            operator: word_of!(
                "threshold_operator",
                row.threshold_operator.as_deref(),
                Operator
            )?,
            threshold: threshold(row.threshold_value.as_ref())?,
            alert_type,
            severity: word_of!(
                "alert_severity",
                row.alert_severity.as_deref(),
                AlertSeverity
            )?,
            message: template("alert_message_template", message)?,
            actions: actions
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| template("suggested_action_template", line.trim()))
                .collect::<Result<_, _>>()?,
            conditions: Conditions::parse(row.conditions.as_ref())?,
        })
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the rule applies to the deal, and its test holds.
    #[must_use]
    pub fn holds(&self, deal: &DealFacts<'_>) -> bool {
        let Some(value) = self.metric.of(deal) else {
            return false;
        };
        let (more, less) = (above(value, self.threshold), below(value, self.threshold));
        let met = match self.operator {
            Operator::Above => more,
            Operator::Below => less,
            Operator::AtLeast => !less,
            Operator::AtMost => !more,
            Operator::Equal => !more && !less,
        };
        met && self.conditions.meet(deal)
    }

    /// What its alerts are about.
    #[must_use]
    pub const fn alert_type(&self) -> AlertType {
        self.alert_type
    }

    /// How grave its alerts are.
    #[must_use]
    pub const fn severity(&self) -> AlertSeverity {
        self.severity
    }

    /// The alert for a deal.
    #[must_use]
    pub fn alert(&self, deal: &DealFacts<'_>) -> Alert {
        let text = |add: &dyn Fn(&mut String)| {
            let mut text = String::new();
            add(&mut text);
            text
        };
        let mut scratch = String::new();
        Alert {
            alert_type: self.alert_type,
            severity: self.severity,
            title: text(&|text| self.title(deal, text)),
            message: text(&|text| self.fill(&self.message, deal, text)),
            suggested_actions: self
                .actions
                .iter()
                .map(|action| text(&|text| self.fill(action, deal, text)))
                .collect(),
            priority: match self.severity {
                AlertSeverity::Critical => Priority::Urgent,
                AlertSeverity::Warning | AlertSeverity::Info => Priority::Medium,
            },
            rule_name: self.name.clone(),
            said: self.said(deal, &mut scratch),
        }
    }

    fn title(&self, deal: &DealFacts<'_>, text: &mut String) {
        wording::title(self.metric, self.operator, self.severity, deal, text);
    }

    /// A text whose numbers are neither nothing nor the threshold where they only come near it.
    fn fill(&self, template: &Template, deal: &DealFacts<'_>, text: &mut String) {
        template.fill_beside(&[0.0, self.threshold], deal, text);
    }

    /// A number for all that the alert for a deal says, the same for the same words: whether it
    /// has to be written again is seen without it. `scratch` is overwritten.
    #[must_use]
    pub fn said(&self, deal: &DealFacts<'_>, scratch: &mut String) -> u64 {
        scratch.clear();
        self.title(deal, scratch);
        scratch.push('\n');
        self.fill(&self.message, deal, scratch);
        for action in &self.actions {
            scratch.push('\n');
            self.fill(action, deal, scratch);
        }
        fnv(scratch.as_bytes())
    }
}

/// The 64-bit hash of Fowler, Noll and Vo (FNV-1a), which stays the same from version to version.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The rules that speak for a deal, by type: of those that hold the most severe, of equals the
/// first in order.
#[must_use]
pub fn speaking<'r>(
    rules: &'r [Rule],
    deal: &DealFacts<'_>,
) -> [Option<&'r Rule>; AlertType::ALL.len()] {
    let mut gravest = [None; AlertType::ALL.len()];
    for rule in rules.iter().filter(|rule| rule.holds(deal)) {
        let found: &mut Option<&Rule> = &mut gravest[rule.alert_type as usize];
        if found.is_none_or(|found| rule.severity > found.severity) {
            *found = Some(rule);
        }
    }
    gravest
}

fn threshold(value: Option<&Value>) -> Result<f64, RuleError> {
    let missing = || RuleError("threshold_value is missing, expected a number".to_owned());
    match value {
        None | Some(Value::Null) => Err(missing()),
        Some(value) => value
            .as_f64()
            .filter(|number| number.is_finite())
            .ok_or_else(|| RuleError(format!("threshold_value must be a number, found {value}"))),
    }
}

fn template(column: &str, text: &str) -> Result<Template, RuleError> {
    if text.chars().count() > TEMPLATE_CHARACTERS {
        return Err(RuleError(format!(
            "{column} is longer than {TEMPLATE_CHARACTERS} characters"
        )));
    }
    Template::parse(text).map_err(|reason| RuleError(format!("{reason} in {column}")))
}

const CONDITIONS: &str = "stage, deal_value_min, deal_value_max, has_close_date";

impl Conditions {
    fn parse(conditions: Option<&Value>) -> Result<Self, RuleError> {
        let mut parsed = Self::default();
        let object = match conditions {
            None | Some(Value::Null) => return Ok(parsed),
            Some(Value::Object(object)) => object,
            Some(other) => {
                return Err(RuleError(format!(
                    "conditions must be an object, found {other}"
                )));
            }
        };
        for (key, value) in object {
            let must_be = |expected: &str| {
                RuleError(format!("condition {key} must be {expected}, found {value}"))
            };
            match key.as_str() {
                "stage" => {
                    parsed.stages = Some(
                        names(value)
                            .ok_or_else(|| must_be("the name of a stage, or a list of names"))?,
                    );
                }
                "deal_value_min" | "deal_value_max" => {
                    let bound = value.as_f64().ok_or_else(|| must_be("a number"))?;
                    if key == "deal_value_min" {
                        parsed.value_min = Some(bound);
                    } else {
                        parsed.value_max = Some(bound);
                    }
                }
                "has_close_date" => {
                    let wanted = value.as_bool().ok_or_else(|| must_be("true or false"))?;
                    parsed.has_close_date = Some(wanted);
                }
                _ => {
                    return Err(RuleError(format!(
                        "unknown condition \"{key}\", expected one of {CONDITIONS}"
                    )));
                }
            }
        }
        Ok(parsed)
    }

    fn meet(&self, deal: &DealFacts<'_>) -> bool {
        let stage = self.stages.as_ref().is_none_or(|wanted| {
            deal.stage
                .is_some_and(|stage| wanted.iter().any(|wanted| wanted == stage))
        });
        let at_least = |bound: f64| deal.value.is_some_and(|value| !below(value, bound));
        let at_most = |bound: f64| deal.value.is_some_and(|value| !above(value, bound));
        stage
            && self.value_min.is_none_or(at_least)
            && self.value_max.is_none_or(at_most)
            && self
                .has_close_date
                .is_none_or(|wanted| deal.days_until_close.is_some() == wanted)
    }
}

/// A name, or a list of at least one.
fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) if !names.is_empty() => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

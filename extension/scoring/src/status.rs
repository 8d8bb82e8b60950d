//! The words that scores are summed up in, as the score tables store them.

text_enum! {
    /// How far a deal is from where it should be, by its overall score and the deal cut-offs.
    pub enum DealStatus {
        /// At or above the cut-off `healthy`.
        Healthy = "healthy",
        /// At or above the cut-off `warning`.
        Warning = "warning",
        /// At or above the cut-off `critical`.
        Critical = "critical",
        /// Below every cut-off.
        Stalled = "stalled",
    }
}

text_enum! {
    /// How a relationship stands, by ghost risk first and then by its overall score.
    pub enum RelationshipStatus {
        /// At or above the cut-off `healthy`.
        Healthy = "healthy",
        /// At or above the cut-off `at_risk`.
        AtRisk = "at_risk",
        /// Below every cut-off.
        Critical = "critical",
        /// Likely to send nothing any more, whatever the score.
        Ghost = "ghost",
    }
}

text_enum! {
    /// How pressing the risk factors are, taken together with the overall score.
    pub enum RiskLevel {
        /// At most one factor and a score that carries it.
        Low = "low",
        /// Two factors, or a score below 60.
        Medium = "medium",
        /// Three factors, or a low score.
        High = "high",
        /// Four factors or more, or a very low score.
        Critical = "critical",
    }
}

impl RiskLevel {
    /// The level of `factors` risk factors under `overall`, critical below `critical_below` and
    /// high below `high_below`; medium below 60 in both models.
    pub(crate) const fn of(
        factors: usize,
        overall: i32,
        critical_below: i32,
        high_below: i32,
    ) -> Self {
        if factors >= 4 || overall < critical_below {
            Self::Critical
        } else if factors >= 3 || overall < high_below {
            Self::High
        } else if factors >= 2 || overall < 60 {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

text_enum! {
    /// Where sentiment is heading.
    #[derive(Default)]
    pub enum SentimentTrend {
        /// Clearly above what came before.
        Improving = "improving",
        /// About as before.
        Stable = "stable",
        /// Clearly below what came before.
        Declining = "declining",
        /// Too few values to tell.
        #[default]
        Unknown = "unknown",
    }
}

impl SentimentTrend {
    /// The trend of a change in sentiment; up to 0.1 either way is stable.
    pub(crate) fn of_change(change: f64) -> Self {
        if crate::number::above(change, 0.1) {
            Self::Improving
        } else if crate::number::below(change, -0.1) {
            Self::Declining
        } else {
            Self::Stable
        }
    }
}

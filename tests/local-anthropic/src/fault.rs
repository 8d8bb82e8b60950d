//! What can go wrong with an answer.

/// One spoiled answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An error status, with Anthropic's name of the error, and what the header Retry-After says.
    Status(u16, &'static str, Option<&'static str>),
    /// 429 because the organisation's monthly limit is spent: without Retry-After, and it does not pass.
    SpendLimit,
    /// 200 with a page of a proxy.
    Garbage,
    /// 200 with text instead of a tool call.
    NoToolCall,
    /// A tool call beside text: the call is good.
    ExtraText,
    /// Ids that nobody asked about.
    WrongIds,
    /// The last mail is left out.
    MissingId,
    /// The first mail is judged twice.
    DoubledId,
    /// A score of 1.5.
    OutOfRange,
    /// A key that the schema does not have.
    ExtraKey,
    /// Six topics.
    TooManyTopics,
    /// A topic of 100 letters.
    LongTopic,
    /// An urgency that there is not.
    UnknownUrgency,
    /// The answer ended at max_tokens.
    CutShort,
    /// No count of tokens.
    NoUsage,
    /// The headers, half a body, and a broken connection.
    Truncated,
    /// No answer until the caller gives up.
    Hang,
}

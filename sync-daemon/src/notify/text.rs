//! Text from outside, made fit to be shown: names of deals, subjects, reasons.

/// Without control characters (a line break becomes a space) and without marks that change the direction of what
/// follows or cannot be seen.
pub(super) fn clean(text: &str) -> String {
    let spaced: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escaped as Slack asks for, and cut so that the result has at most `most` characters.
pub(super) fn escaped(text: &str, most: usize) -> String {
    let mut result = String::new();
    let mut length = 0;
    for c in text.chars() {
        let escape = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        let width = escape.len().max(1);
        // One place is kept for the ellipsis.
        if length + width >= most {
            result.push('…');
            return result;
        }
        length += width;
        if escape.is_empty() {
            result.push(c);
        } else {
            result.push_str(escape);
        }
    }
    result
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

//! Text from outside, made fit to be shown: names of deals, subjects, reasons.

/// Without control characters (a line break becomes a space) and without marks that change the direction of what
/// follows or cannot be seen; those that join letters stay where a script needs them.
pub(super) fn clean(text: &str) -> String {
    let mut before = ' ';
    let spaced: String = text
        .chars()
        .filter(|c| {
            let stays = if is_joiner(*c) {
                // Persian, Hindi and emoji are spelled with them; in ASCII they only hide.
                !before.is_ascii() && !is_joiner(before)
            } else {
                !is_invisible(*c)
            };
            if stays {
                before = *c;
            }
            stays
        })
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

/// The zero-width joiner and non-joiner.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_hides_or_turns_goes_and_what_spells_stays() {
        for (text, shown) in [
            ("a\u{200b}c\u{200d}m\u{200c}e\u{ad}", "acme"),
            ("\u{202e}turned\u{202c} \u{61c}too\u{200f}", "turned too"),
            ("line\nbreak\u{0}", "line break"),
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("é\u{200d}\u{200d}\u{200c}x", "é\u{200d}x"),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
    }
}

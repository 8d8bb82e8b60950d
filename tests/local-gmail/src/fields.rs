//! Partial responses: the `fields` parameter, `a,b/c,d(e,f/g),*`.

use serde_json::{Map, Value};

/// One selected name and what is selected below it; nothing below means all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    /// A property's name, or `*`.
    pub(crate) name: String,
    /// Selection below.
    pub(crate) below: Vec<Selected>,
}

/// Reads a selector; the error is the rest of the text that makes no sense.
pub(crate) fn parse(text: &str) -> Result<Vec<Selected>, String> {
    let mut rest = text;
    let selected = list(&mut rest).ok_or_else(|| rest.to_owned())?;
    if rest.is_empty() {
        Ok(selected)
    } else {
        Err(rest.to_owned())
    }
}

fn list(rest: &mut &str) -> Option<Vec<Selected>> {
    let mut selected = vec![path(rest)?];
    while let Some(after) = rest.strip_prefix(',') {
        *rest = after;
        selected.push(path(rest)?);
    }
    Some(selected)
}

fn path(rest: &mut &str) -> Option<Selected> {
    let end = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
    let name = rest[..end].trim().to_owned();
    if name.is_empty() {
        return None;
    }
    *rest = &rest[end..];
    let below = if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        vec![path(rest)?]
    } else if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let inner = list(rest)?;
        *rest = rest.strip_prefix(')')?;
        inner
    } else {
        Vec::new()
    };
    Some(Selected { name, below })
}

/// Keeps of `value` what is selected; a list is gone through item by item.
pub(crate) fn keep(value: Value, selected: &[&Selected]) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| keep(item, selected)).collect(),
        Value::Object(properties) => Value::Object(keep_properties(properties, selected)),
        plain => plain,
    }
}

fn keep_properties(properties: Map<String, Value>, selected: &[&Selected]) -> Map<String, Value> {
    let kept = properties.into_iter().filter_map(|(name, value)| {
        let hits: Vec<&Selected> = selected
            .iter()
            .copied()
            .filter(|s| s.name == name || s.name == "*")
            .collect();
        if hits.is_empty() {
            return None;
        }
        let whole = hits.iter().any(|hit| hit.below.is_empty());
        let below: Vec<&Selected> = hits.iter().flat_map(|hit| &hit.below).collect();
        Some((name, if whole { value } else { keep(value, &below) }))
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept(value: Value, fields: &str) -> Value {
        let selected = parse(fields).expect("parses");
        keep(value, &selected.iter().collect::<Vec<_>>())
    }

    #[test]
    fn slashes_and_brackets_select_the_same() {
        let value = json!({"id": "1", "p": {"h": [{"n": "a", "v": "b"}], "m": 1}, "x": 2});
        let expected = json!({"id": "1", "p": {"h": [{"n": "a", "v": "b"}]}});
        assert_eq!(kept(value.clone(), "id,p/h"), expected);
        assert_eq!(kept(value.clone(), "id,p(h(n,v))"), expected);
        assert_eq!(kept(value.clone(), "id,p/h/n,p/h/v"), expected);
        assert_eq!(
            kept(value, "*/m"),
            json!({"id": "1", "p": {"m": 1}, "x": 2})
        );
    }

    #[test]
    fn what_does_not_close_is_an_error() {
        for wrong in ["", "a,", "a(b", "a(b))", "a//b", "a()"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}

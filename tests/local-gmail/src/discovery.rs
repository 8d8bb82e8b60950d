//! Google's own description of the API, used as a checker of requests and answers.

use std::path::Path;

use serde_json::{Map, Value};

use crate::fields::Selected;

/// A loaded API description.
#[derive(Debug)]
pub(crate) struct Discovery {
    schemas: Map<String, Value>,
    common: Map<String, Value>,
    methods: Vec<Method>,
}

/// One method of the API.
#[derive(Debug)]
pub(crate) struct Method {
    /// Such as `gmail.users.messages.get`.
    pub(crate) id: String,
    /// The name of the schema of its answer, if it has one.
    pub(crate) response: Option<String>,
    verb: String,
    path: String,
    parameters: Map<String, Value>,
}

impl Discovery {
    /// Reads the description from a file; the error says what is wrong with it.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| error.to_string())?;
        let document: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let object = |key: &str| document[key].as_object().cloned().unwrap_or_default();
        let mut methods = Vec::new();
        collect_methods(&document, &mut methods);
        if methods.is_empty() {
            return Err("it describes no method".to_owned());
        }
        Ok(Self {
            schemas: object("schemas"),
            common: object("parameters"),
            methods,
        })
    }

    /// The method that a request is for, or what is wrong with the request.
    pub(crate) fn check_request(
        &self,
        verb: &str,
        path: &str,
        query: &[(String, String)],
    ) -> Result<&Method, Vec<String>> {
        let method = self
            .methods
            .iter()
            .find(|m| m.verb == verb && same_path(&m.path, path));
        let method = method.ok_or_else(|| vec![format!("the API has no {verb} {path}")])?;
        let mut wrong = Vec::new();
        for (name, value) in query {
            match method
                .parameters
                .get(name)
                .or_else(|| self.common.get(name))
            {
                Some(parameter) if parameter["location"] == "query" => {
                    wrong.extend(parameter_fault(name, value, parameter));
                    let again = query.iter().filter(|(other, _)| other == name).count() > 1;
                    if again && parameter["repeated"] != true {
                        wrong.push(format!("parameter {name} is not repeatable"));
                    }
                }
                _ => wrong.push(format!("{} has no query parameter {name}", method.id)),
            }
        }
        wrong.extend(method.missing(query));
        if wrong.is_empty() {
            Ok(method)
        } else {
            Err(wrong)
        }
    }

    /// What is wrong with an answer of this schema.
    pub(crate) fn check_answer(&self, schema: &str, answer: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.schemas.get(schema) {
            Some(schema) => self.check_value(schema, answer, "", &mut wrong),
            None => wrong.push(format!("the API has no schema {schema}")),
        }
        wrong
    }

    /// What a `fields` selector names that the schema lacks.
    pub(crate) fn check_fields(&self, schema: &str, selected: &[Selected]) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(schema) = self.schemas.get(schema) {
            self.check_selected(schema, selected, &mut wrong);
        }
        wrong
    }

    fn check_selected(&self, schema: &Value, selected: &[Selected], wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let schema = if schema["type"] == "array" {
            self.resolve(&schema["items"])
        } else {
            schema
        };
        for one in selected.iter().filter(|one| one.name != "*") {
            match schema["properties"].get(&one.name) {
                Some(property) => self.check_selected(property, &one.below, wrong),
                None => wrong.push(format!("Invalid field selection {}", one.name)),
            }
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        schema["$ref"]
            .as_str()
            .and_then(|name| self.schemas.get(name))
            .unwrap_or(schema)
    }

    fn check_value(&self, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        match (schema["type"].as_str().unwrap_or("any"), value) {
            ("object", Value::Object(properties)) => {
                self.check_properties(schema, properties, place, wrong);
            }
            ("array", Value::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.check_value(&schema["items"], item, &format!("{place}[{i}]"), wrong);
                }
            }
            ("string", Value::String(text)) => {
                wrong.extend(text_fault(schema, text).map(|fault| format!("{place}: {fault}")));
            }
            ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {
                let fault = text_fault(schema, &number.to_string());
                wrong.extend(fault.map(|fault| format!("{place}: {fault}")));
            }
            ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) | ("any", _) => {}
            (expected, _) => wrong.push(format!("{place}: not of type {expected}")),
        }
    }

    fn check_properties(
        &self,
        schema: &Value,
        properties: &Map<String, Value>,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        for (name, value) in properties {
            let below = format!("{place}/{name}");
            match schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties"))
            {
                Some(property) => self.check_value(property, value, &below, wrong),
                None => wrong.push(format!("{below}: the schema has no such property")),
            }
        }
    }
}

impl Method {
    fn missing(&self, query: &[(String, String)]) -> impl Iterator<Item = String> {
        // Of some parameters only the description says so.
        let said = |p: &Value| {
            p["description"]
                .as_str()
                .is_some_and(|d| d.starts_with("Required."))
        };
        let required = self
            .parameters
            .iter()
            .filter(move |(_, p)| p["location"] == "query" && (p["required"] == true || said(p)));
        required
            .filter(|(name, _)| !query.iter().any(|(given, _)| given == *name))
            .map(|(name, _)| format!("{} needs parameter {name}", self.id))
    }
}

fn collect_methods(resource: &Value, methods: &mut Vec<Method>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for method in resource["methods"]
        .as_object()
        .into_iter()
        .flat_map(Map::values)
    {
        methods.push(Method {
            id: text(&method["id"]),
            response: method["response"]["$ref"].as_str().map(str::to_owned),
            verb: text(&method["httpMethod"]),
            path: format!("/{}", text(&method["path"])),
            parameters: method["parameters"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        });
    }
    for below in resource["resources"]
        .as_object()
        .into_iter()
        .flat_map(Map::values)
    {
        collect_methods(below, methods);
    }
}

/// Whether a path fits a template whose `{…}` stand for one segment each.
fn same_path(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(t), Some(p)) if t == p || (t.starts_with('{') && !p.is_empty()) => {}
            _ => return false,
        }
    }
}

fn parameter_fault(name: &str, value: &str, parameter: &Value) -> Option<String> {
    let kind = parameter["type"].as_str().unwrap_or("string");
    let fits = match kind {
        "boolean" => matches!(value, "true" | "false"),
        "integer" => value.parse::<i64>().is_ok(),
        "number" => value.parse::<f64>().is_ok(),
        _ => true,
    };
    if !fits {
        return Some(format!("parameter {name}: {value:?} is not of type {kind}"));
    }
    text_fault(parameter, value).map(|fault| format!("parameter {name}: {fault}"))
}

fn text_fault(schema: &Value, text: &str) -> Option<String> {
    let fits = match schema["format"].as_str() {
        Some("uint64") => text.parse::<u64>().is_ok(),
        Some("int64") => text.parse::<i64>().is_ok(),
        Some("uint32") => text.parse::<u32>().is_ok(),
        Some("int32") => text.parse::<i32>().is_ok(),
        Some("byte") => text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_+/=".contains(&b)),
        _ => true,
    };
    let listed = schema["enum"]
        .as_array()
        .is_none_or(|allowed| allowed.iter().any(|a| a == text));
    match (fits, listed) {
        (false, _) => Some(format!("{text:?} is no {}", schema["format"])),
        (_, false) => Some(format!("{text:?} is not among {}", schema["enum"])),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

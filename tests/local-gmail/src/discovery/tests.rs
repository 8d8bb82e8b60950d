//! The check of answers sees each kind of fault.

use super::*;
use serde_json::json;

fn description() -> Discovery {
    let schemas = json!({
        "Page": {"type": "object", "properties": {
            "items": {"type": "array", "items": {"$ref": "Item"}},
            "total": {"type": "integer", "format": "int32"},
        }},
        "Item": {"type": "object", "properties": {
            "id": {"type": "string", "format": "uint64"},
            "data": {"type": "string", "format": "byte"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "good": {"type": "boolean"},
        }},
    });
    let schemas = schemas.as_object().cloned().unwrap_or_default();
    Discovery {
        schemas,
        common: Map::new(),
        methods: Vec::new(),
    }
}

#[test]
fn an_answer_of_the_schema_has_no_fault() {
    let item = json!({"id": "18446744073709551615", "data": "Zm9v_-==", "kind": "b", "good": true});
    let answer = json!({"items": [item, {}], "total": -5});
    assert_eq!(description().check_answer("Page", &answer), [""; 0]);
}

#[test]
fn each_fault_of_an_answer_is_told_with_its_place() {
    for (answer, fault) in [
        (json!([]), ": not of type object"),
        (
            json!({"itmes": []}),
            "/itmes: the schema has no such property",
        ),
        (json!({"items": {}}), "/items: not of type array"),
        (
            json!({"items": [{}, {"id": 5}]}),
            "/items[1]/id: not of type string",
        ),
        (
            json!({"items": [{"id": "-5"}]}),
            "/items[0]/id: \"-5\" is no \"uint64\"",
        ),
        (
            json!({"items": [{"data": "a b"}]}),
            "/items[0]/data: \"a b\" is no \"byte\"",
        ),
        (
            json!({"items": [{"kind": "c"}]}),
            "/items[0]/kind: \"c\" is not among [\"a\",\"b\"]",
        ),
        (
            json!({"items": [{"good": "true"}]}),
            "/items[0]/good: not of type boolean",
        ),
        (json!({"total": 1.5}), "/total: not of type integer"),
        (
            json!({"total": 3_000_000_000_u32}),
            "/total: \"3000000000\" is no \"int32\"",
        ),
        (json!({"total": null}), "/total: not of type integer"),
    ] {
        assert_eq!(description().check_answer("Page", &answer), [fault]);
    }
}

//! How one setting changes in the text of a file: comments and order are kept.

use toml_edit::{DocumentMut, Item, Table, Value};

use super::{Place, Problem};

/// Reads a value as it was typed: TOML, or else a bare word.
pub(crate) fn typed_value(text: &str) -> Value {
    let text = text.trim();
    text.parse().unwrap_or_else(|_| Value::from(text))
}

/// Gives `text` with `key` set, everything else as it was.
pub(crate) fn with_setting(text: &str, key: &str, value: Value) -> Result<String, Problem> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let what = format!("the file to change is not TOML: {}", error.message());
        Problem::without_fix(Place::Request, what)
    })?;
    let mut table = document.as_table_mut();
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let item = table.entry(part).or_insert_with(|| Item::Table(Table::new()));
        table = item.as_table_mut().ok_or_else(|| {
            Problem::with_fix(
                Place::Request,
                format!("{part} is not written as a table [{part}]"),
                format!("write [{part}] on a line of its own"),
            )
        })?;
    }
    place_value(table, last, value);
    Ok(document.to_string())
}

/// A comment behind a value belongs to the value's own decor.
fn place_value(table: &mut Table, key: &str, mut value: Value) {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        value.decor_mut().clear();
        table.insert(key, Item::Value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_order_stay_when_a_setting_changes() {
        let before = "# mine\nurl = \"/a\" # the NAS\nroot = \"/b\"\n\n# why\npoll_interval = 30\n";
        let after = with_setting(before, "url", typed_value("/c")).unwrap();
        assert_eq!(after, before.replace("/a", "/c"));
    }

    #[test]
    fn new_setting_of_a_table_makes_the_table() {
        let text = with_setting("user = \"ann\"\n", "log.level", typed_value("debug")).unwrap();
        assert_eq!(text, "user = \"ann\"\n\n[log]\nlevel = \"debug\"\n");
    }

    #[test]
    fn value_is_toml_or_a_bare_word() {
        assert_eq!(typed_value("30").as_integer(), Some(30));
        assert_eq!(typed_value("laptop").as_str(), Some("laptop"));
        assert_eq!(typed_value("\"42\"").as_str(), Some("42"));
        assert_eq!(typed_value("[\"a\", \"b\"]").as_array().map(toml_edit::Array::len), Some(2));
        assert_eq!(typed_value("/a b/c").as_str(), Some("/a b/c"));
    }
}

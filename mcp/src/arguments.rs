//! The arguments of one call, each of which must be what its schema says.

use rmcp::model::JsonObject;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Arguments(JsonObject);

impl Arguments {
    /// A misspelled argument must not be taken for one that was left out.
    pub(crate) fn checked(given: JsonObject, schema: &Value) -> Result<Self, String> {
        let known = schema["properties"].as_object();
        let unknown = given.keys().find(|key| known.is_none_or(|known| !known.contains_key(*key)));
        if let Some(unknown) = unknown {
            let names: Vec<_> = known.iter().flat_map(|known| known.keys()).cloned().collect();
            return Err(format!(
                "there is no argument `{unknown}`; there are {}",
                names.join(", ")
            ));
        }
        Ok(Self(given))
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            // A number of a commit is easily written as one.
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            Some(_) => Err(format!("`{key}` must be a text")),
        }
    }

    pub(crate) fn needed(&self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is needed"))
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{key}` must be a list of texts");
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one.clone()]),
            Some(Value::Array(all)) => {
                all.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    pub(crate) fn is_set(&self, key: &str) -> Result<bool, String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(is_set)) => Ok(*is_set),
            Some(_) => Err(format!("`{key}` must be true or false")),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(number) => {
                let wrong = || format!("`{key}` must be a whole number");
                number.as_u64().map(Some).ok_or_else(wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(given: &Value) -> Result<Arguments, String> {
        let schema = json!({"properties": {"path": {}, "paths": {}, "confirm": {}, "limit": {}}});
        Arguments::checked(given.as_object().expect("an object").clone(), &schema)
    }

    #[test]
    fn arguments_are_what_they_must_be_or_named() {
        let given = checked(&json!({"path": 12, "paths": ["a", "b"], "confirm": true, "limit": 3}));
        let given = given.expect("known");
        assert_eq!(given.text("path"), Ok(Some("12".to_owned())));
        assert_eq!(given.texts("paths"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((given.is_set("confirm"), given.number("limit")), (Ok(true), Ok(Some(3))));
        for wrong in [json!({"confirm": "yes"}), json!({"limit": -1}), json!({"paths": [1]})] {
            let given = checked(&wrong).expect("known");
            let all = [
                given.is_set("confirm").err(),
                given.number("limit").err(),
                given.texts("paths").err(),
            ];
            assert_eq!(all.iter().flatten().count(), 1, "{wrong}");
        }
        assert!(checked(&json!({"pth": "a"})).expect_err("unknown").contains("`pth`"));
    }
}

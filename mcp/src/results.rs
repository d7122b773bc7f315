//! Answers that a model can take in.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// In bytes; hosts cut off or refuse what is much longer.
const LONGEST: usize = 60_000;

pub(crate) fn told(answer: Result<Value, String>, is_whole: bool) -> CallToolResult {
    match answer {
        Ok(result) if is_whole && length(&result) > LONGEST => {
            refused("this is too large for a tool: use `mirrorctl` in a shell, with files")
        }
        Ok(result) => CallToolResult::structured(shortened(result)),
        Err(why) => refused(why),
    }
}

pub(crate) fn refused(why: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why.into())])
}

/// The first of what is too many, and how many are left out: `left_out` names the list.
fn shortened(mut result: Value) -> Value {
    let mut left_out = serde_json::Map::new();
    while length(&result) > LONGEST {
        let Some(object) = result.as_object_mut() else { break };
        let lists = object.iter_mut().filter_map(|(key, value)| Some((key, value.as_array_mut()?)));
        let longest = lists.max_by_key(|(_, list)| list.iter().map(length).sum::<usize>());
        let Some((key, list)) = longest.filter(|(_, list)| !list.is_empty()) else { break };
        let kept = list.len() / 2;
        let more = (list.len() - kept) as u64;
        list.truncate(kept);
        let before = left_out.get(key).and_then(Value::as_u64).unwrap_or(0);
        left_out.insert(key.clone(), json!(before + more));
    }
    if !left_out.is_empty() {
        result["left_out"] = Value::Object(left_out);
    }
    result
}

fn length(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        let entry = json!({"path": "a".repeat(1_000)});
        let result = json!({"files": vec![entry; 1_000], "project": "notes", "few": [1]});
        let told = shortened(result);
        let kept = told["files"].as_array().expect("a list").len() as u64;
        assert!(length(&told) <= LONGEST && kept > 10, "{kept}");
        assert_eq!(told["left_out"], json!({"files": 1_000 - kept}));
        assert_eq!((&told["project"], &told["few"]), (&json!("notes"), &json!([1])));
    }

    #[test]
    fn what_is_short_or_cannot_be_cut_stays_as_it_is() {
        for result in [json!({"files": [1, 2]}), json!({"text": "a".repeat(LONGEST + 1)})] {
            assert_eq!(shortened(result.clone()), result);
        }
        let told = told(Ok(json!({"base_text": "a".repeat(LONGEST + 1)})), true);
        assert_eq!(told.is_error, Some(true));
    }
}

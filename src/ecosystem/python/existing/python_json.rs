//! JSON as Python's `json.dumps(value, sort_keys=True)` writes it: the tools hash their manifests in this form.

use std::fmt::Write as _;

use serde_json::Value;

/// Which separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `", "` and `": "`, the default.
    Spaced,
    /// `separators=(",", ":")`.
    Dense,
}

/// The text of `value`.
pub(super) fn text_of(value: &Value, style: Style) -> String {
    let mut text = String::new();
    write(&mut text, value, style);
    text
}

fn write(text: &mut String, value: &Value, style: Style) {
    let (comma, colon) = match style {
        Style::Spaced => (", ", ": "),
        Style::Dense => (",", ":"),
    };
    match value {
        Value::String(string) => quoted(text, string),
        Value::Array(list) => {
            text.push('[');
            for (number, value) in list.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { comma });
                write(text, value, style);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (number, (key, value)) in pairs.into_iter().enumerate() {
                text.push_str(if number == 0 { "" } else { comma });
                quoted(text, key);
                text.push_str(colon);
                write(text, value, style);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// `ensure_ascii`: everything else is escaped, beyond the basic plane as two surrogates.
fn quoted(text: &mut String, string: &str) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_python_writes() {
        // python3 -c 'import json; print(json.dumps({"b": [1, True, None, 1.5], "a": "\"é\U0001F600\x7f\t"}, sort_keys=True))'
        let value = serde_json::json!({"b": [1, true, null, 1.5], "a": "\"é\u{1F600}\u{7f}\t"});
        let expected = r#"{"a": "\"\u00e9\ud83d\ude00\u007f\t", "b": [1, true, null, 1.5]}"#;
        assert_eq!(text_of(&value, Style::Spaced), expected);
        assert_eq!(text_of(&serde_json::json!({"b": {}, "a": []}), Style::Dense), r#"{"a":[],"b":{}}"#);
    }
}

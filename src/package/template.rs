//! The templates of what is generated, and the one quoting function for each language they are written in.
//!
//! A value reaches a shell script through the filter `sh`, a unit through `unit`; nothing is pasted in unquoted but
//! lists that went through one of them.

use std::sync::LazyLock;

use minijinja::{Environment, Error, Value};

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_filter("sh", |text: String| shell(&text));
    environment.add_filter("unit", |text: String| unit_value(&text));
    environment
});

/// Renders the template `source`; the result ends with one line break and begins with none.
pub(crate) fn render(source: &str, values: Value) -> Result<String, Error> {
    let text = ENVIRONMENT.render_str(source, values)?;
    Ok(format!("{}\n", text.trim_matches('\n')))
}

/// One word of a POSIX shell command: in single quotes, unless nothing in it could mean anything to a shell.
pub(crate) fn shell(text: &str) -> String {
    let plain =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+:@=".contains(&byte));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A value of a unit file: specifiers are escaped, line breaks become spaces (systemd.syntax(7), systemd.unit(5)).
pub(crate) fn unit_value(text: &str) -> String {
    let flat: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    flat.trim().trim_end_matches(['\\', ' ']).replace('%', "%%")
}

/// One word of an `ExecStart=` line: quoted, with specifiers and variables escaped (systemd.service(5), COMMAND LINES).
pub(crate) fn unit_word(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '%' => quoted.push_str("%%"),
            '$' => quoted.push_str("$$"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    let plain =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+:@=,".contains(&byte));
    if plain { text.to_owned() } else { quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_gives_back_what_was_quoted() {
        for text in ["plain", "", "with space", "it's", "$(touch x)", "`x`", "a\nb", "-n", "\\", "*"] {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", shell(text))])
                .output()
                .expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }

    #[test]
    fn a_unit_value_can_add_no_directive_and_no_specifier() {
        assert_eq!(unit_value("a%b\nExecStart=/bin/evil \\"), "a%%b ExecStart=/bin/evil");
        assert_eq!(unit_word("a b$HOME%n\"\n"), r#""a b$$HOME%%n\"\n""#);
    }
}

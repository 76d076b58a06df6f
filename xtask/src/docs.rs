//! `cargo xtask docs`: documents that are made from the code, so that they stay true. `--check` only compares.

use std::process::Command;

use crate::Result;
use crate::process::{root, say};

/// Writes `docs/environment.md` from `src/variables.rs`, `docs/checks.md` from the catalogue of `packhouse check`, and
/// `docs/compatibility.md` from the keys of other tools' tables.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    put("docs/environment.md", &environment()?, arguments)?;
    put("docs/compatibility.md", &packhouse::config::dialect::compatibility(), arguments)?;
    put("docs/checks.md", &checks()?, arguments)
}

/// Writes a page that is not as it should be; with `--check` that is an error.
fn put(name: &str, page: &str, arguments: &[String]) -> Result<()> {
    let path = root().join(name);
    let present = fs_err::read_to_string(&path).unwrap_or_default();
    if present == page {
        return Ok(());
    }
    if arguments.iter().any(|argument| argument == "--check") {
        return Err(format!("{name} is out of date: run `cargo xtask docs`").into());
    }
    fs_err::write(&path, page)?;
    say("Wrote", name);
    Ok(())
}

/// The codes as the program itself tells them.
fn checks() -> Result<String> {
    let arguments = ["run", "--quiet", "--bin", "packhouse", "--", "explain", "--format", "json"];
    let output = Command::new("cargo").args(arguments).current_dir(root()).output()?;
    if !output.status.success() {
        return Err(format!("packhouse explain: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut page = String::from(
        "# What `packhouse check` looks for\n\nMade from `src/check` by `cargo xtask docs`; `packhouse explain CODE` says the \
         same. `build` refuses a package with an error; where one is meant, it is allowed with a reason under \
         `[services.NAME.check]` (see [configuration.md](configuration.md)).\n",
    );
    for line in String::from_utf8(output.stdout)?.lines() {
        let rule: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| rule.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        page.push_str(&format!(
            "\n## {}\n\n*{}*, {}: {}.\n\n{}\n\n{}\n\nSource: {}\n",
            text("code"),
            text("severity"),
            text("formats"),
            text("title"),
            text("explanation"),
            text("remedy"),
            text("source"),
        ));
    }
    Ok(page)
}

/// The variables with their comments.
fn environment() -> Result<String> {
    let source = fs_err::read_to_string(root().join("src/variables.rs"))?;
    let mut page = String::from(
        "# Environment variables\n\nMade from `src/variables.rs` by `cargo xtask docs`.\n\n| variable | meaning |\n|---|---|\n",
    );
    let mut comment = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let value = rest.split('"').nth(1).unwrap_or_default();
            page.push_str(&format!("| `{value}` | {} |\n", comment.trim().replace('|', "\\|")));
            comment.clear();
        } else {
            comment.clear();
        }
    }
    Ok(page)
}

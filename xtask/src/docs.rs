//! `cargo xtask docs`: documents that are made from the code, so that they stay true. `--check` only compares.

use crate::Result;
use crate::process::{root, say};

/// Writes `docs/environment.md` from `src/variables.rs`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
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
    let path = root().join("docs/environment.md");
    let present = fs_err::read_to_string(&path).unwrap_or_default();
    if present == page {
        return Ok(());
    }
    if arguments.iter().any(|argument| argument == "--check") {
        return Err("docs/environment.md is out of date: run `cargo xtask docs`".into());
    }
    fs_err::write(&path, page)?;
    say("Wrote", "docs/environment.md");
    Ok(())
}

//! `cargo xtask docs`: documents that are made from the code, so that they stay true. `--check` only compares.

use packhouse::explain::{self, Entry};

use crate::Result;
use crate::process::{root, say};

/// Writes `docs/environment.md` from `src/variables.rs`, `docs/checks.md` from the catalogue of `packhouse check`, a page for
/// every code below `docs/errors`, and `docs/compatibility.md` from the keys of other tools' tables.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    fs_err::create_dir_all(root().join("docs/errors"))?;
    put("docs/environment.md", &environment()?, arguments)?;
    put("docs/compatibility.md", &packhouse::config::dialect::compatibility(), arguments)?;
    put("docs/checks.md", &checks(), arguments)?;
    codes(arguments)
}

fn is_check(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "--check")
}

/// Writes a page that is not as it should be; with `--check` that is an error.
fn put(name: &str, page: &str, arguments: &[String]) -> Result<()> {
    let path = root().join(name);
    let present = fs_err::read_to_string(&path).unwrap_or_default();
    if present == page {
        return Ok(());
    }
    if is_check(arguments) {
        return Err(format!("{name} is out of date: run `cargo xtask docs`").into());
    }
    fs_err::write(&path, page)?;
    say("Wrote", name);
    Ok(())
}

/// The rules on one page.
fn checks() -> String {
    let mut page = String::from(
        "# What `packhouse check` looks for\n\nMade from `src/check` by `cargo xtask docs`; `packhouse explain CODE` says the \
         same. `build` refuses a package with an error; where one is meant, it is allowed with a reason under \
         `[services.NAME.check]` (see [configuration.md](configuration.md)).\n",
    );
    for rule in packhouse::check::rules() {
        let entry = Entry::Check(rule);
        let (code, severity, scope) = (rule.code, entry.severity(), entry.scope());
        page.push_str(&format!(
            "\n## {code}\n\n*{severity}*, {scope}: {}.\n\n{}\n\n{}\n\nSource: {}\n",
            rule.title, rule.explanation, rule.remedy, rule.source
        ));
    }
    page
}

/// A page for each code, and a list of them; what is there beside them is of a code that is gone.
fn codes(arguments: &[String]) -> Result<()> {
    let directory = root().join("docs/errors");
    let mut names = vec!["README.md".to_owned()];
    put("docs/errors/README.md", &explain::index(), arguments)?;
    for entry in explain::all() {
        let name = format!("{}.md", entry.code());
        put(&format!("docs/errors/{name}"), &entry.page(), arguments)?;
        names.push(name);
    }
    for present in fs_err::read_dir(&directory)? {
        let present = present?;
        if names.iter().any(|name| present.file_name() == name.as_str()) {
            continue;
        }
        let name = format!("docs/errors/{}", present.file_name().to_string_lossy());
        if is_check(arguments) {
            return Err(format!("{name} is of no code: run `cargo xtask docs`").into());
        }
        fs_err::remove_file(present.path())?;
        say("Removed", &name);
    }
    Ok(())
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

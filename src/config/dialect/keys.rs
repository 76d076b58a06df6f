//! The keys of the dialects, and what becomes of each: one list per dialect, which `docs/compatibility.md` is made from.
//!
//! A list can neither lag behind its parser nor run ahead of it: a test reads a table that has every key of the list, and
//! compares what the parser asked for with what the list names.

/// A key of a foreign table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// The key below its table, dotted: `systemd-units.enable`.
    pub(super) path: &'static str,
    /// What it takes, as it is written in TOML.
    pub(super) form: &'static str,
    /// What packhouse does with it.
    pub(super) fate: &'static str,
}

/// The table of another tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The tool, with the version whose keys these are.
    pub(super) tool: &'static str,
    /// The table's header in `Cargo.toml`.
    pub(super) table: &'static str,
    /// What is to be known of the table as a whole, in Markdown.
    pub(super) about: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key],
}

/// The page about all `dialects`.
pub(super) fn page(dialects: &[Dialect]) -> String {
    let mut page = String::from(HEAD);
    for Dialect { tool, table, about, keys } in dialects {
        let about = about.trim();
        let head = "| key | takes | what packhouse does with it |\n|---|---|---|";
        page.push_str(&format!("\n## `[{table}]` ({tool})\n\n{about}\n\n{head}\n"));
        for Key { path, form, fate } in *keys {
            page.push_str(&format!("| `{path}` | {} | {} |\n", cell(form), cell(fate)));
        }
    }
    page
}

/// A text as a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

const HEAD: &str = "\
# Projects that package with other tools

Made from `src/config/dialect` by `cargo xtask docs`.

A table that a `Cargo.toml` has for another packaging tool is configuration: `packhouse build` reads it as it stands, gives the
package that the tool means to make, and adds what was left to chance: a changelog, the copyright of what is inside, digests,
man pages, the scripts that units need, dependencies. `add.NAME = false` in `[services.NAME]` of `packhouse.toml` takes one of
these out, `--strict-compat` all of them, for comparing. What `[services.NAME]` says lies over the foreign table: one value
replaces, a list adds; `adopt = false` leaves the table alone. A table for one format makes packages of both; where there is
one for each, each makes its own.

An unknown key is a warning that names the nearest one, a value of the wrong type is an error with its place, and whatever is
ignored or mended is said. Paths are relative to the crate's directory; they may lead elsewhere in the repository, not out of it.
";

#[cfg(test)]
thread_local! {
    static ASKED: std::cell::RefCell<std::collections::BTreeSet<String>> = const { std::cell::RefCell::new(std::collections::BTreeSet::new()) };
}

/// Remembers a key that a reader was asked for.
#[cfg(test)]
pub(in crate::config) fn record(key: String) {
    ASKED.with_borrow_mut(|asked| asked.insert(key));
}

/// Makes sure that `read`, which must read a table with every key, asks for the keys of the dialect's list and no others.
/// What stands below `variants.NAME` counts as if it stood in the table itself.
#[cfg(test)]
pub(super) fn check(dialect: &Dialect, read: impl FnOnce()) {
    use std::collections::BTreeSet;
    ASKED.with_borrow_mut(BTreeSet::clear);
    read();
    let prefix = format!("{}.", dialect.table);
    let below = |key: &String| -> Option<String> {
        let key = key.strip_prefix(&prefix)?;
        let inner = key.strip_prefix("variants.").and_then(|rest| Some(rest.split_once('.')?.1));
        Some(inner.unwrap_or(key).to_owned())
    };
    let asked: BTreeSet<String> = ASKED.with_borrow(|asked| asked.iter().filter_map(below).collect());
    let listed: BTreeSet<String> = dialect.keys.iter().map(|key| key.path.to_owned()).collect();
    assert_eq!(listed.len(), dialect.keys.len(), "a key is listed twice");
    assert_eq!(asked, listed, "the parser's keys, and those of the list for docs/compatibility.md");
}

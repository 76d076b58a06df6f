//! The eight scriptlets: `<name>`, `<name>_flags`, `<name>_prog`.
//!
//! A text that is the path of a file stands for what is in the file; any other text is the script. The tool looks with
//! `Path::exists` for whatever it is given, so that `post_install_script = "/sbin/ldconfig"` makes it read a program of the
//! machine that builds; here only a relative path in the repository is one.

use std::path::{Path, PathBuf};

use super::super::manifest::CrateManifest;
use super::overlay::Layered;
use super::source;
use crate::config::error::Error;
use crate::config::find::read_text;
use crate::config::reader::Value;
use crate::config::scripts::{Script, ScriptSettings, Stage, TextSource};
use crate::config::{Note, value};
use crate::target::Format;

/// Each scriptlet's three keys.
pub(super) const SCRIPTS: [(Stage, &str, &str, &str); 8] = [
    (Stage::PreInstall, "pre_install_script", "pre_install_script_flags", "pre_install_script_prog"),
    (Stage::PostInstall, "post_install_script", "post_install_script_flags", "post_install_script_prog"),
    (Stage::PreRemove, "pre_uninstall_script", "pre_uninstall_script_flags", "pre_uninstall_script_prog"),
    (Stage::PostRemove, "post_uninstall_script", "post_uninstall_script_flags", "post_uninstall_script_prog"),
    (Stage::PreTransaction, "pre_trans_script", "pre_trans_script_flags", "pre_trans_script_prog"),
    (Stage::PostTransaction, "post_trans_script", "post_trans_script_flags", "post_trans_script_prog"),
    (Stage::PreUntransaction, "pre_untrans_script", "pre_untrans_script_flags", "pre_untrans_script_prog"),
    (Stage::PostUntransaction, "post_untrans_script", "post_untrans_script_flags", "post_untrans_script_prog"),
];

/// The bits that rpm knows (`rpmscriptFlags`): expand macros, format with the header, a failure is the package's.
const KNOWN_FLAGS: u32 = 0b111;

/// The scripts, and the files that some of them stand in, from the crate's directory.
pub(super) fn scripts(
    krate: &CrateManifest,
    table: &Layered<'_>,
    notes: &mut Vec<Note>,
) -> Result<(ScriptSettings, Vec<PathBuf>), Error> {
    let (mut settings, mut read) = (ScriptSettings::default(), Vec::new());
    for (stage, text_key, flags_key, program_key) in SCRIPTS {
        let flags = table.number(flags_key, u32::MAX)?.unwrap_or_default();
        let interpreter = program(table, program_key)?;
        let Some(text) = table.string(text_key)? else {
            for key in [flags_key, program_key] {
                if let Some(item) = table.item(key)? {
                    let message = format!("`{key}` has no `{text_key}` to go with, and says nothing");
                    notes.push(item.text.note(message, Some(format!("add `{text_key}`, or drop it"))));
                }
            }
            continue;
        };
        if flags & !KNOWN_FLAGS != 0
            && let Some(item) = table.item(flags_key)?
        {
            let message = format!("`{flags_key}` has bits that rpm does not know; they are left out");
            let hint = "1 expands macros, 2 formats with the header, 4 makes a failure one of the package".to_owned();
            notes.push(item.text.note(message, Some(hint)));
        }
        let body = match file(krate, text.as_str()) {
            Some((path, absolute)) => {
                let body = read_text(&absolute).map_err(|error| text.error(error, None))?;
                read.push(path);
                body.to_string()
            }
            None => {
                if looks_like_a_path(text.as_str()) {
                    let message = format!("`{}` is no file here, and becomes the script itself", text.as_str());
                    let hint = "correct the path: it is looked for in the workspace's directory, then in the crate's";
                    notes.push(text.note(message, Some(hint.to_owned())));
                }
                text.as_str().to_owned()
            }
        };
        let script = Script {
            text: TextSource::Inline(body),
            interpreter: if interpreter.is_empty() { vec![SHELL.to_owned()] } else { interpreter },
            flags: flags & KNOWN_FLAGS,
            written_for: Format::Rpm,
        };
        settings.stages.insert(stage, script);
    }
    Ok((settings, read))
}

/// What rpm runs a scriptlet with when nothing is said, whatever stands in the scriptlet's first line.
const SHELL: &str = "/bin/sh";

/// The interpreter and its arguments.
fn program(table: &Layered<'_>, key: &'static str) -> Result<Vec<String>, Error> {
    const EXPECTED: &str = "an array of strings";
    let Some(item) = table.item(key)? else { return Ok(Vec::new()) };
    let Value::List(words) = &item.value else { return Err(item.mistyped(EXPECTED)) };
    let word = |word: &crate::config::reader::Item<'_>| match word.value {
        Value::Text => word.text.clone().checked(value::one_line, "write the interpreter's path, then its arguments"),
        _ => Err(word.mistyped(EXPECTED)),
    };
    words.iter().map(word).collect()
}

/// The file that `text` names, relative to the crate's directory, and where it is.
fn file(krate: &CrateManifest, text: &str) -> Option<(PathBuf, PathBuf)> {
    if text.contains('\n') || text.is_empty() || Path::new(text).is_absolute() {
        return None;
    }
    let path = source::first_existing(krate, Path::new(text))?;
    let absolute = krate.absolute(&path);
    (absolute.is_file() && value::stays_inside(&krate.root, &absolute)).then_some((path, absolute))
}

/// One word with a `/` in it, or the name of a shell script: nobody writes a whole script so.
fn looks_like_a_path(text: &str) -> bool {
    let is_word = !text.is_empty() && !text.contains(char::is_whitespace);
    is_word && !text.starts_with(['/', '$']) && (text.contains('/') || text.ends_with(".sh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_path_is_told_from_a_command() {
        for path in ["scripts/post.sh", "post.sh", "../rpm/post"] {
            assert!(looks_like_a_path(path), "{path}");
        }
        for script in ["", "ldconfig", "/sbin/ldconfig", "systemctl daemon-reload", "$HOME/x", "a/b\nc"] {
            assert!(!looks_like_a_path(script), "{script}");
        }
    }
}

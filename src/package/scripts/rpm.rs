//! The scriptlets of an RPM.
//!
//! dpkg's scripts run in them like this: `%pre` 1 is `preinst install`, 2 is `prerm upgrade` and `preinst upgrade`; `%post` 1 is `postinst
//! configure ""`, 2 is `postrm upgrade` and `postinst configure 0` (rpm does not tell which version there was); `%preun` 0 is
//! `prerm remove`, `%postun` 0 `postrm remove`. Nothing is ever purged.

use std::collections::BTreeMap;

use super::carried::{Around, Failure, Part, lua};
use super::commands;
use super::generated::Generated;
use super::own::{Language, MARK, Own, OwnScripts, name};
use crate::config::Stage;
use crate::package::template::shell;
use crate::package::{Script, Scripts};
use crate::target::Format;

/// The scriptlets of an RPM.
pub(super) fn compose(package: &str, own: &OwnScripts, mut generated: Generated, notes: &mut Vec<String>) -> Scripts {
    let mut foreign: BTreeMap<Stage, &Own> = BTreeMap::new();
    for (stage, script) in own.stages.iter().filter(|(_, script)| script.written_for == Format::Deb) {
        if script.text.contains("/confmodule") {
            let name = name(*stage, Format::Deb);
            notes.push(format!(
                "{package}: the {name} is not in the RPM: it asks debconf, which RPM's distributions do not have"
            ));
            continue;
        }
        notes.extend(commands::missing(package, *stage, script, Format::Rpm));
        foreign.insert(*stage, script);
    }
    let mut scripts = Scripts::default();
    for (_, stage) in Stage::ALL {
        let native = own.stages.get(&stage).filter(|script| script.written_for == Format::Rpm);
        let parts = parts(package, stage, &foreign);
        if let Some(script) = script(stage, native, parts, generated.remove(&stage)) {
            scripts.set(stage, script);
        }
    }
    scripts
}

/// dpkg's scripts that run in RPM's of this stage.
fn parts(package: &str, stage: Stage, foreign: &BTreeMap<Stage, &Own>) -> Vec<Part> {
    const UPGRADES: &str = "[ \"$1\" -gt 1 ]";
    const REMOVES: &str = "[ \"$1\" -eq 0 ]";
    let part = |of: Stage, condition: Option<&'static str>, arguments: &str| {
        let script = foreign.get(&of)?;
        let name = name(of, Format::Deb);
        let mut arguments = format!("{arguments}\n");
        if script.text.contains("DPKG_") {
            let package = shell(package);
            arguments.push_str(&format!(
                "export DPKG_MAINTSCRIPT_NAME={name} DPKG_MAINTSCRIPT_PACKAGE={package} DPKG_ROOT=\n"
            ));
        }
        // What stands for the old package is without the new one's generated part.
        let text = if of == stage { script.text.clone() } else { script.without_generated() };
        let failure = if is_critical(stage) { Failure::Fatal } else { Failure::Kept };
        Some(Part { name: name.to_owned(), text, language: script.language(), condition, arguments, failure })
    };
    let installs = "if [ \"$1\" -gt 1 ]; then set -- upgrade 0; else set -- install; fi";
    let configures = "if [ \"$1\" -gt 1 ]; then set -- configure 0; else set -- configure ''; fi";
    let removes = "if [ \"$1\" -gt 0 ]; then set -- upgrade 0; else set -- remove; fi";
    let parts = match stage {
        Stage::PreInstall => {
            vec![part(Stage::PreRemove, Some(UPGRADES), "set -- upgrade 0"), part(stage, None, installs)]
        }
        Stage::PostInstall => {
            vec![part(Stage::PostRemove, Some(UPGRADES), "set -- upgrade 0"), part(stage, None, configures)]
        }
        Stage::PreRemove | Stage::PostRemove => vec![part(stage, Some(REMOVES), "set -- remove")],
        Stage::PreTransaction => vec![part(stage, None, installs)],
        Stage::PostTransaction => vec![part(stage, None, configures)],
        Stage::PreUntransaction | Stage::PostUntransaction => vec![part(stage, None, removes)],
    };
    parts.into_iter().flatten().collect()
}

/// Whether rpm gives up when this scriptlet fails (rpm-scriptlets(7)).
fn is_critical(stage: Stage) -> bool {
    matches!(stage, Stage::PreTransaction | Stage::PreInstall | Stage::PreRemove | Stage::PreUntransaction)
}

/// One scriptlet.
fn script(stage: Stage, native: Option<&Own>, mut parts: Vec<Part>, generated: Option<String>) -> Option<Script> {
    let flags = native.map_or(0, |script| script.flags);
    let Some(native) = native else {
        if parts.is_empty() {
            return generated.map(|text| Script::from(format!("{text}exit 0")));
        }
        return Some(framed(parts, generated, flags));
    };
    let verbatim = |text: String| Script { text, interpreter: native.interpreter(), flags };
    let around = Around { program: "/bin/sh", strict: false, flags };
    match (generated, parts.is_empty()) {
        (None, true) => Some(verbatim(native.unmarked())),
        (Some(generated), true) if native.has_mark() => {
            Some(verbatim(native.text.replace(MARK, &around.escaped(&generated))))
        }
        (Some(generated), true) if native.language() == Language::Lua => {
            Some(verbatim(lua(&native.text, &generated, flags)))
        }
        // A scriptlet of rpm's own language has no place for what was written for dpkg.
        (_, false) if native.language() == Language::Lua => Some(verbatim(native.unmarked())),
        (generated, _) => {
            let critical = is_critical(stage) || flags & Script::CRITICAL != 0;
            parts.push(Part {
                name: name(stage, Format::Rpm).to_owned(),
                text: native.unmarked(),
                language: native.language(),
                condition: None,
                arguments: String::new(),
                failure: if critical { Failure::Fatal } else { Failure::Kept },
            });
            Some(framed(parts, generated, flags))
        }
    }
}

/// Scripts of the project one after the other, then what packhouse has to do.
fn framed(mut parts: Vec<Part>, generated: Option<String>, flags: u32) -> Script {
    let shells = parts.iter().rev().find_map(|part| match &part.language {
        Language::Shell { program, .. } => Some(program.clone()),
        _ => None,
    });
    let program = shells.unwrap_or_else(|| "/bin/sh".to_owned());
    let around = Around { program: &program, strict: false, flags };
    let generated = generated.map(|text| around.escaped(&text)).unwrap_or_default();
    let mut left = Some(generated).filter(|text| !text.is_empty());
    let mut counted = "";
    for part in &mut parts {
        let in_place = part.condition.is_none() && matches!(part.language, Language::Shell { .. });
        // The mark is where the generated part was expected; it counts as rpm does.
        let added = match left.take_if(|_| in_place && part.text.contains(MARK)) {
            Some(text) => {
                counted = "count=$1\n";
                format!("(\nset -- \"$count\"\n{text})\n")
            }
            None if matches!(part.language, Language::Shell { .. }) => ":".to_owned(),
            None => String::new(),
        };
        part.text = part.text.replace(MARK, &added);
    }
    let kept = parts.iter().any(|part| part.failure == Failure::Kept);
    let mut text = around.escaped(&format!("# Generated by packhouse around the project's own script.\n{counted}"));
    text.push_str(if kept { "status=0\n" } else { "" });
    text.extend(parts.iter().map(|part| around.run(part)));
    text.push_str(&left.unwrap_or_default());
    text.push_str(if kept { "exit \"$status\"" } else { "exit 0" });
    let interpreter = if program == "/bin/sh" { Vec::new() } else { vec![program] };
    Script { text, interpreter, flags }
}

//! The scriptlets in a header: for each a text, the program that reads it, and flags (`rpmscriptFlags` of rpm's `rpmscript.h`).

use super::header::{Builder, Header, Value};
use super::read::Dependency;
use super::tag::{self, sense};
use crate::format::error::{Error, Fault};
use crate::format::text;
use crate::package::{Package, Script, Stage};
use crate::target::Format;

/// Tags of a scriptlet, and the flag of what it requires.
struct Tags {
    stage: Stage,
    text: u32,
    program: u32,
    flags: u32,
    sense: u32,
}

/// In the order in which `rpm -qp --scripts` shows them.
const TAGS: [Tags; 8] = [
    Tags {
        stage: Stage::PreTransaction,
        text: tag::PRETRANS,
        program: tag::PRETRANSPROG,
        flags: tag::PRETRANSFLAGS,
        sense: sense::PRETRANS,
    },
    Tags {
        stage: Stage::PreInstall,
        text: tag::PREIN,
        program: tag::PREINPROG,
        flags: tag::PREINFLAGS,
        sense: sense::SCRIPT_PRE,
    },
    Tags {
        stage: Stage::PostInstall,
        text: tag::POSTIN,
        program: tag::POSTINPROG,
        flags: tag::POSTINFLAGS,
        sense: sense::SCRIPT_POST,
    },
    Tags {
        stage: Stage::PreRemove,
        text: tag::PREUN,
        program: tag::PREUNPROG,
        flags: tag::PREUNFLAGS,
        sense: sense::SCRIPT_PREUN,
    },
    Tags {
        stage: Stage::PostRemove,
        text: tag::POSTUN,
        program: tag::POSTUNPROG,
        flags: tag::POSTUNFLAGS,
        sense: sense::SCRIPT_POSTUN,
    },
    Tags {
        stage: Stage::PostTransaction,
        text: tag::POSTTRANS,
        program: tag::POSTTRANSPROG,
        flags: tag::POSTTRANSFLAGS,
        sense: sense::POSTTRANS,
    },
    Tags {
        stage: Stage::PreUntransaction,
        text: tag::PREUNTRANS,
        program: tag::PREUNTRANSPROG,
        flags: tag::PREUNTRANSFLAGS,
        sense: sense::PREUNTRANS,
    },
    Tags {
        stage: Stage::PostUntransaction,
        text: tag::POSTUNTRANS,
        program: tag::POSTUNTRANSPROG,
        flags: tag::POSTUNTRANSFLAGS,
        sense: sense::POSTUNTRANS,
    },
];

/// `pretrans`.
fn name(stage: Stage) -> &'static str {
    stage.name(Format::Rpm).unwrap_or_default()
}

/// When a scriptlet's requirement must be there (`RPMSENSE_SCRIPT_PRE` and the like).
pub(super) fn sense(stage: Stage) -> u32 {
    TAGS.iter().find(|tags| tags.stage == stage).map_or(0, |tags| tags.sense)
}

/// Puts the scriptlets of `package` into its header.
pub(super) fn write(header: &mut Builder, package: &Package) -> Result<(), Error> {
    for tags in &TAGS {
        let Some(script) = package.scripts.get(tags.stage) else { continue };
        let name = format!("%{}", name(tags.stage));
        // `%post -p /sbin/ldconfig` has no text.
        if !script.text.is_empty() || script.interpreter.is_empty() {
            header.text(tags.text, text::script(&name, &script.text)?);
        }
        let bad = |word: &String| word.is_empty() || word.contains(['\0', '\n']);
        if script.interpreter.iter().any(bad) || !script.program().starts_with(['/', '<']) {
            return Err(Error::Unwritable {
                what: format!("interpreter `{}` of {name}", script.interpreter.join(" ").escape_debug()),
                rule: "it must be the absolute path of a program, or `<lua>`",
                hint: "name the program with its path, such as `/usr/bin/python3`",
            });
        }
        // As rpmbuild does: a list only where there are arguments, which old versions of rpm do not know.
        match script.interpreter.as_slice() {
            [_, _, ..] => header.set(tags.program, Value::Texts(script.interpreter.clone())),
            _ => header.text(tags.program, script.program()),
        }
        if script.flags != 0 {
            header.number(tags.flags, script.flags);
        }
    }
    Ok(())
}

/// The programs that run the scriptlets, as requirements.
pub(super) fn interpreters(package: &Package) -> impl Iterator<Item = Dependency> {
    // rpm brings its own Lua.
    let scripts = package.scripts.iter().filter(|(_, script)| script.program().starts_with('/'));
    scripts.filter(|_| !package.scripts.without_interpreter_relation).map(|(stage, script)| Dependency {
        name: script.program().to_owned(),
        flags: sense::INTERP | sense(stage),
        version: String::new(),
    })
}

/// What the scriptlets ask of the rpm that runs them, as rpmbuild notes it (`build/parseScript.c`).
pub(super) fn features(package: &Package) -> [(bool, &'static str, &'static str); 3] {
    let any = |test: fn(&Script) -> bool| package.scripts.iter().any(|(_, script)| test(script));
    [
        (any(|script| script.program() == "<lua>"), "BuiltinLuaScripts", "4.2.2-1"),
        (any(|script| script.interpreter.len() > 1), "ScriptletInterpreterArgs", "4.0.3-1"),
        (any(|script| script.flags & (Script::EXPAND | Script::QUERY_FORMAT) != 0), "ScriptletExpansion", "4.9.0-1"),
    ]
}

/// A scriptlet as it was read.
pub(super) struct Scriptlet {
    pub(super) name: String,
    pub(super) text: String,
    /// The program and its arguments; empty when the header does not say.
    pub(super) program: String,
    pub(super) flags: u32,
}

/// Every scriptlet of a header.
pub(super) fn read(header: &Header) -> Result<Vec<Scriptlet>, Fault> {
    let mut scripts = Vec::new();
    for tags in &TAGS {
        // One text, or the program and its arguments.
        let program = header.texts(tags.program)?;
        let text = header.text(tags.text)?;
        if text.is_some() || !program.is_empty() {
            scripts.push(Scriptlet {
                name: name(tags.stage).to_owned(),
                text: text.unwrap_or_default(),
                program: program.join(" "),
                flags: header.number(tags.flags)?.unwrap_or_default() as u32,
            });
        }
    }
    Ok(scripts)
}

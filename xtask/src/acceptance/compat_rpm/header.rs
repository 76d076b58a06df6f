//! What rpm itself says of a package, as facts that can be compared one by one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::process::run;

/// Each fact under its name: `name`, `requires git`, `file /usr/bin/x: mode`.
pub(super) type Facts = BTreeMap<String, String>;

const IDENTITY: [&str; 12] = [
    "NAME",
    "EPOCH",
    "VERSION",
    "RELEASE",
    "ARCH",
    "SUMMARY",
    "DESCRIPTION",
    "LICENSE",
    "URL",
    "VENDOR",
    "GROUP",
    "PACKAGER",
];

/// The lists of relations: what to call one, and how its three tags begin.
const RELATIONS: [(&str, &str); 8] = [
    ("requires", "REQUIRE"),
    ("provides", "PROVIDE"),
    ("conflicts", "CONFLICT"),
    ("obsoletes", "OBSOLETE"),
    ("recommends", "RECOMMEND"),
    ("suggests", "SUGGEST"),
    ("supplements", "SUPPLEMENT"),
    ("enhances", "ENHANCE"),
];

/// The scriptlets: what to call one, and how its three tags begin. rpm knows the last two since 4.19.
const SCRIPTS: [(&str, &str); 8] = [
    ("%pre", "PREIN"),
    ("%post", "POSTIN"),
    ("%preun", "PREUN"),
    ("%postun", "POSTUN"),
    ("%pretrans", "PRETRANS"),
    ("%posttrans", "POSTTRANS"),
    ("%preuntrans", "PREUNTRANS"),
    ("%postuntrans", "POSTUNTRANS"),
];

/// The bits of a relation's flags that compare versions; the others say when and why it counts.
const COMPARISON: u32 = 0b1110;

/// All that is compared.
pub(super) fn facts(package: &Path) -> Result<Facts> {
    let known = run(Command::new("rpm").arg("--querytags"))?;
    let mut facts = Facts::new();
    for tag in IDENTITY {
        let [value] = rows(package, &format!("%{{{tag}}}\\f"))?.concat().try_into().map_err(|_| "one value")?;
        facts.insert(tag.to_lowercase(), value);
    }
    for (name, tag) in RELATIONS {
        for row in rows(package, &format!("[%{{{tag}NAME}}\\v%{{{tag}FLAGS}}\\v%{{{tag}VERSION}}\\f]"))? {
            let [on, flags, version] = row.as_slice() else { return Err(format!("{tag} of {row:?}").into()) };
            let flags: u32 = flags.parse()?;
            let operator: String = [(2, '<'), (4, '>'), (8, '=')]
                .into_iter()
                .filter_map(|(bit, sign)| (flags & bit != 0).then_some(sign))
                .collect();
            let fact = format!("{name} {on} {operator} {version}");
            let more = flags & !COMPARISON;
            facts.insert(format!("{} +{more:x}", fact.trim_end()), "yes".to_owned());
        }
    }
    for (name, tag) in SCRIPTS.into_iter().filter(|(_, tag)| known.lines().any(|line| line == *tag)) {
        let [text] = rows(package, &format!("%{{{tag}}}\\f"))?.concat().try_into().map_err(|_| "one script")?;
        if text == "(none)" {
            continue;
        }
        let program = rows(package, &format!("[%{{{tag}PROG}}\\v]\\f"))?.concat().join(" ");
        let flags = rows(package, &format!("%{{{tag}FLAGS}}\\f"))?.concat().concat();
        facts.insert(format!("{name}: text"), text.trim().to_owned());
        // rpm runs a script with the shell when nothing is said, and without flags.
        facts.insert(
            format!("{name}: program"),
            if program.is_empty() { "/bin/sh".to_owned() } else { program.trim().to_owned() },
        );
        facts.insert(format!("{name}: flags"), if flags == "(none)" { "0".to_owned() } else { flags });
    }
    files(package, &mut facts)?;
    Ok(facts)
}

fn files(package: &Path, facts: &mut Facts) -> Result<()> {
    const ATTRIBUTES: [(&str, &str); 7] = [
        ("mode", "%{FILEMODES:octal}"),
        ("user", "%{FILEUSERNAME}"),
        ("group", "%{FILEGROUPNAME}"),
        ("flags", "%{FILEFLAGS}"),
        ("capabilities", "%{FILECAPS}"),
        ("link", "%{FILELINKTOS}"),
        ("content", "%{FILEDIGESTS}"),
    ];
    let tags: String = ATTRIBUTES.iter().map(|(_, tag)| format!("\\v{tag}")).collect();
    for row in rows(package, &format!("[%{{FILENAMES}}{tags}\\f]"))? {
        let Some((path, values)) = row.split_first() else { continue };
        for ((name, _), value) in ATTRIBUTES.iter().zip(values) {
            let none = value == "(none)" || value.is_empty();
            facts.insert(format!("file {path}: {name}"), if none { "-".to_owned() } else { value.clone() });
        }
    }
    Ok(())
}

/// What rpm prints for a format whose records end in a form feed, and whose fields are apart by vertical tabs.
fn rows(package: &Path, format: &str) -> Result<Vec<Vec<String>>> {
    let printed = run(Command::new("rpm").args(["-qp", "--nosignature", "--queryformat", format]).arg(package))?;
    let records = printed.split('\u{c}').filter(|record| !record.is_empty());
    Ok(records.map(|record| record.split('\u{b}').map(str::to_owned).collect()).collect())
}

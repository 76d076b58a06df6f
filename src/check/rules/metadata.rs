//! What a package says of itself: name, version, maintainer, texts (Policy 5; rpm-spec(5), preamble tags).

use crate::check::{Formats, Hit, Rule, Severity, Subject, is_bidirectional};
use crate::config::value;
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "bad-name",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package's name is not one that the format allows",
        explanation: "Debian's package names are at least two characters of small letters, digits, `+`, `-` and `.`, and begin \
                      with a letter or digit. RPM's may have capital letters and `_` as well. Tools build file names and \
                      queries of them.",
        remedy: "Give the service a name of small letters, digits and hyphens: `[services.NAME]`.",
        source: "Policy 5.6.1; rpm-spec(5); lintian bad-package-name",
        find: name,
    },
    Rule {
        code: "bad-version",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the version is not one that the format can order",
        explanation: "dpkg and rpm compare versions part by part. A version with other characters, one that does not begin with a \
                      digit, or a `-` in RPM's is refused or ordered by accident, so that upgrades go backwards.",
        remedy: "Correct the version in the manifest, the git tag, or `version` under `[services.NAME]`.",
        source: "Policy 5.6.12; rpm-version(7); lintian bad-version-number",
        find: version,
    },
    Rule {
        code: "bad-maintainer",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "nobody can be written to about the package",
        explanation: "The maintainer must be one name and one mail address: `Name <mail@host>`. Without it nobody knows whom to \
                      ask, and security scanners cannot tell the package from the distribution's own.",
        remedy: "Set `maintainer = \"Name <mail@host>\"` under `[project]`.",
        source: "Policy 5.6.2; lintian malformed-contact; rpmlint no-packager-tag",
        find: maintainer,
    },
    Rule {
        code: "no-vendor",
        severity: Severity::Warning,
        formats: Formats::RPM,
        title: "the package does not say whose it is",
        explanation: "`Vendor` tells the packages of an organisation from the distribution's. Scanners that find no vendor, or a \
                      distribution's, do not look into the package's vendored parts.",
        remedy: "Build it with packhouse, which takes the name of the maintainer, or set `Vendor:` in the spec file.",
        source: "rpm-spec(5)",
        find: vendor,
    },
    Rule {
        code: "unknown-section",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "the section is none of Debian's",
        explanation: "Package managers sort by sections, and repositories file by them. There is a fixed list.",
        remedy: "Set `section` under `[services.NAME]` to one of the list, for instance `net`, `admin`, `web`, `python` or `misc`.",
        source: "Policy 2.4; lintian unknown-section",
        find: section,
    },
    Rule {
        code: "no-summary",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package has no summary",
        explanation: "One line that says what the package is stands in every list of packages. dpkg and rpm refuse a package \
                      without it, or show nothing.",
        remedy: "Set `summary` under `[services.NAME]`, or the description in the manifest.",
        source: "Policy 3.4.1; lintian description-synopsis-is-empty; rpmlint no-summary-tag",
        find: no_summary,
    },
    Rule {
        code: "summary-too-long",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the summary does not fit into one line",
        explanation: "Lists of packages cut the summary at 80 columns.",
        remedy: "Say it in less than 80 characters, and the rest in the description.",
        source: "Policy 3.4.1; rpmlint summary-too-long; lintian synopsis-too-long",
        find: long_summary,
    },
    Rule {
        code: "summary-style",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "the summary is a sentence",
        explanation: "A summary completes the phrase “This package provides …”: it does not begin with an article or the package's \
                      name, and does not end with a full stop.",
        remedy: "Leave the article, the name and the full stop out.",
        source: "Policy 3.4.1; lintian description-synopsis-starts-with-article; rpmlint summary-ended-with-dot",
        find: summary_style,
    },
    Rule {
        code: "no-description",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package has no description",
        explanation: "The description tells somebody who never heard of the package whether to install it.",
        remedy: "Set `description` under `[services.NAME]`.",
        source: "Policy 3.4.2; lintian extended-description-is-empty; rpmlint no-description-tag",
        find: no_description,
    },
    Rule {
        code: "misleading-character",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a field or a file's name has control characters",
        explanation: "Control characters talk to terminals, and characters that turn the direction of text make a name read \
                      otherwise than it is. Neither belongs into metadata or into names of files.",
        remedy: "Remove them from the manifest, the configuration or the file's name.",
        source: "CVE-2021-42574; rpmlint non-utf8; lintian bad-description-encoding",
        find: misleading,
    },
    Rule {
        code: "unexpanded-macro",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a field has a variable that nobody replaced",
        explanation: "`${…}` in a control file and `%{…}` in an RPM's header were meant to be replaced by the packaging tools. \
                      Here nobody did, so that users see the variable and dependencies on it can never be fulfilled.",
        remedy: "Write the value itself.",
        source: "deb-substvars(5); rpmlint unexpanded-macro",
        find: macros,
    },
    Rule {
        code: "no-license",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "the package has no licence",
        explanation: "`License` is what companies' policies and scanners read. RPM refuses a package without it.",
        remedy: "Set `license` under `[project]` or `[services.NAME]`, or in the manifest.",
        source: "rpm-spec(5); rpmlint invalid-license",
        find: no_license,
    },
    Rule {
        code: "license-not-spdx",
        severity: Severity::Warning,
        formats: Formats::RPM,
        title: "the licence is no SPDX expression",
        explanation: "Fedora, SUSE and EL 10 take SPDX expressions alone; programs that check licences understand nothing else.",
        remedy: "Write an expression such as `Apache-2.0 AND (MIT OR BSD-3-Clause)`.",
        source: "SPDX specification 2.3, annex D; rpmlint invalid-license",
        find: license,
    },
    Rule {
        code: "bad-url",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the home page is no address",
        explanation: "`Homepage` and `URL` are addresses that a browser opens: http or https.",
        remedy: "Set `homepage` under `[project]` to an address that begins with `https://`.",
        source: "Policy 5.6.23; lintian bad-homepage; rpmlint invalid-url",
        find: url,
    },
    Rule {
        code: "no-url",
        severity: Severity::Warning,
        formats: Formats::RPM,
        title: "the package names no home page",
        explanation: "Who finds the package on a machine wants to know where it comes from.",
        remedy: "Set `homepage` under `[project]`.",
        source: "rpmlint no-url-tag",
        find: no_url,
    },
];

fn name(subject: &Subject) -> Vec<Hit> {
    let name = subject.name.as_str();
    let good = |byte: u8| match subject.format {
        Format::Deb => byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte),
        Format::Rpm => byte.is_ascii_alphanumeric() || b"+-._".contains(&byte),
    };
    let first = name
        .starts_with(|first: char| first.is_ascii_alphanumeric() || (first == '_' && subject.format == Format::Rpm));
    if first && name.len() >= 2 && name.bytes().all(good) {
        return Vec::new();
    }
    vec![Hit::new(format!("`{name}` cannot be the name of a package"))]
}

fn version(subject: &Subject) -> Vec<Hit> {
    let text = subject.version.as_str();
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let allowed: &[u8] = match subject.format {
        Format::Deb => b".+~-",
        Format::Rpm => b"._+~^-",
    };
    let characters = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || allowed.contains(&byte));
    let parts = match subject.format {
        Format::Deb => rest.starts_with(|first: char| first.is_ascii_digit()),
        // Version and release, each without a hyphen of its own.
        Format::Rpm => rest.matches('-').count() == 1 && !rest.starts_with('-') && !rest.ends_with('-'),
    };
    if characters && parts && epoch.parse::<u32>().is_ok() {
        return Vec::new();
    }
    vec![Hit::new(format!("`{text}` is no version"))]
}

fn maintainer(subject: &Subject) -> Vec<Hit> {
    let (field, value) = match subject.format {
        Format::Deb => ("Maintainer", subject.field("Maintainer")),
        Format::Rpm => ("Packager", subject.field("Packager")),
    };
    let Some(value) = value else {
        // RPM's packager may be left to the vendor.
        let told =
            subject.format == Format::Rpm && subject.field("Vendor").is_some_and(|vendor| !vendor.trim().is_empty());
        return if told { Vec::new() } else { vec![Hit::new(format!("it has no `{field}`"))] };
    };
    let contact = value.trim().strip_suffix('>').and_then(|rest| rest.split_once('<'));
    let good = contact.is_some_and(|(name, mail)| {
        let (user, host) = mail.split_once('@').unwrap_or_default();
        !name.trim().is_empty()
            && !user.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && !mail.contains(['<', ' '])
    });
    // RPM's packager is often an address of the web, which is a place to ask, too.
    if good || (subject.format == Format::Rpm && value.contains("://")) {
        return Vec::new();
    }
    vec![Hit::new(format!("`{field}: {value}` is no name with a mail address"))]
}

fn vendor(subject: &Subject) -> Vec<Hit> {
    match subject.field("Vendor") {
        Some(vendor) if !vendor.trim().is_empty() => Vec::new(),
        _ => vec![Hit::new("it has no `Vendor`")],
    }
}

/// The archive's sections (Policy 2.4; the list on packages.debian.org).
const SECTIONS: [&str; 60] = [
    "admin",
    "cli-mono",
    "comm",
    "database",
    "debian-installer",
    "debug",
    "devel",
    "doc",
    "editors",
    "education",
    "electronics",
    "embedded",
    "fonts",
    "games",
    "gnome",
    "gnu-r",
    "gnustep",
    "graphics",
    "hamradio",
    "haskell",
    "httpd",
    "interpreters",
    "introspection",
    "java",
    "javascript",
    "kde",
    "kernel",
    "libdevel",
    "libs",
    "lisp",
    "localization",
    "mail",
    "math",
    "metapackages",
    "misc",
    "net",
    "news",
    "ocaml",
    "oldlibs",
    "otherosfs",
    "perl",
    "php",
    "python",
    "raku",
    "ruby",
    "rust",
    "science",
    "shells",
    "sound",
    "tasks",
    "tex",
    "text",
    "utils",
    "vcs",
    "video",
    "virtual",
    "web",
    "x11",
    "xfce",
    "zope",
];
const AREAS: [&str; 7] = ["main", "contrib", "non-free", "non-free-firmware", "universe", "multiverse", "restricted"];

fn section(subject: &Subject) -> Vec<Hit> {
    let Some(value) = subject.field("Section").map(str::trim) else {
        return vec![Hit::new("it has no `Section`")];
    };
    let (area, section) = value.split_once('/').unwrap_or(("main", value));
    if AREAS.contains(&area) && SECTIONS.contains(&section) {
        return Vec::new();
    }
    vec![Hit::new(format!("`{value}` is no section"))]
}

fn no_summary(subject: &Subject) -> Vec<Hit> {
    if subject.summary.trim().is_empty() { vec![Hit::new("its summary is empty")] } else { Vec::new() }
}

fn long_summary(subject: &Subject) -> Vec<Hit> {
    let length = subject.summary.chars().count();
    if length < 80 { Vec::new() } else { vec![Hit::new(format!("its summary has {length} characters"))] }
}

fn summary_style(subject: &Subject) -> Vec<Hit> {
    let summary = subject.summary.trim();
    let first = summary.split_whitespace().next().unwrap_or_default();
    let mut hits = Vec::new();
    if ["a", "an", "the"].iter().any(|article| first.eq_ignore_ascii_case(article)) {
        hits.push(Hit::new(format!("its summary begins with the article `{first}`")));
    }
    if summary.ends_with('.') && !summary.ends_with("..") && !summary.ends_with("etc.") {
        hits.push(Hit::new("its summary ends with a full stop"));
    }
    hits
}

fn no_description(subject: &Subject) -> Vec<Hit> {
    // dh_strip's packages of debug symbols have a summary alone.
    if subject.is_debug_symbols() {
        return Vec::new();
    }
    let empty = subject.description.lines().all(|line| matches!(line.trim(), "" | "."));
    if empty { vec![Hit::new("its description is empty")] } else { Vec::new() }
}

fn is_misleading(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t')) || is_bidirectional(character)
}

fn misleading(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (name, value) in subject.fields.iter().chain([&("Summary".to_owned(), subject.summary.clone())]) {
        if let Some(character) = value.chars().find(|character| is_misleading(*character)) {
            hits.push(Hit::new(format!("`{name}` has the character {}", character.escape_unicode())));
        }
    }
    for author in &subject.changelog {
        if author.chars().any(is_misleading) {
            hits.push(Hit::new("the changelog has control characters"));
        }
    }
    for item in subject.items() {
        let bad = |character: char| character.is_control() || is_bidirectional(character) || character == '\u{fffd}';
        if let Some(character) = item.path.chars().find(|character| bad(*character)) {
            let what = if character == '\u{fffd}' {
                "is not UTF-8".to_owned()
            } else {
                format!("has {}", character.escape_unicode())
            };
            hits.push(Hit::at(&item.path, format!("its name {what}")));
        }
    }
    hits.dedup();
    hits
}

fn macros(subject: &Subject) -> Vec<Hit> {
    let is_open = |text: &str| match subject.format {
        Format::Deb => text.contains("${") && text.split("${").skip(1).any(|rest| rest.contains('}')),
        Format::Rpm => text.contains("%{") || text.contains("%("),
    };
    let fields =
        subject.fields.iter().filter(|(name, _)| name != "Description").map(|(name, value)| (name.as_str(), value));
    let relations = subject.relations.iter().flat_map(|(name, list)| list.iter().map(move |value| (*name, value)));
    fields
        .chain(relations)
        .filter(|(_, value)| is_open(value))
        .map(|(name, value)| Hit::new(format!("`{name}: {value}` has an unexpanded variable")))
        .collect()
}

fn no_license(subject: &Subject) -> Vec<Hit> {
    match subject.field("License") {
        Some(license) if !license.trim().is_empty() => Vec::new(),
        _ => vec![Hit::new("it has no `License`")],
    }
}

fn license(subject: &Subject) -> Vec<Hit> {
    let Some(license) = subject.field("License").filter(|license| !license.trim().is_empty()) else {
        return Vec::new();
    };
    match value::spdx(license) {
        Ok(()) => Vec::new(),
        Err(problem) => vec![Hit::new(format!("`{license}`: {problem}"))],
    }
}

fn home(subject: &Subject) -> Option<&str> {
    subject.field(match subject.format {
        Format::Deb => "Homepage",
        Format::Rpm => "URL",
    })
}

fn url(subject: &Subject) -> Vec<Hit> {
    let Some(address) = home(subject) else { return Vec::new() };
    let parsed = url::Url::parse(address.trim());
    if parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "ftp") && url.has_host()) {
        return Vec::new();
    }
    vec![Hit::new(format!("`{address}` is no address of the web"))]
}

fn no_url(subject: &Subject) -> Vec<Hit> {
    if home(subject).is_some() { Vec::new() } else { vec![Hit::new("it has no `URL`")] }
}

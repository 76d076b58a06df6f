//! What repository metadata say of one RPM: its elements in primary.xml, filelists.xml and other.xml.
//!
//! Source: createrepo_c's `xml_dump_primary.c`, `xml_dump_filelists.c`, `xml_dump_other.c` (the order of elements and
//! attributes) and `misc.h` (which files stand in primary.xml: dnf resolves file dependencies from these alone).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::Write as _;

use crate::digest::Sha256;
use crate::format::FileKind;
use crate::format::rpm::{ChangelogEntry, Dependency, RpmInfo};

/// How many entries of a changelog other.xml has; createrepo_c's default.
const CHANGELOG_ENTRIES: usize = 10;

/// What the requirements on the C library's symbols begin with.
const LIBC: &str = "libc.so.6";

/// The three elements of one package.
pub(in crate::repo) struct Elements {
    pub(in crate::repo) primary: String,
    pub(in crate::repo) filelists: String,
    pub(in crate::repo) other: String,
}

/// Facts of the published file that the package does not tell.
pub(in crate::repo) struct Published<'a> {
    /// Of the file.
    pub(in crate::repo) sha256: Sha256,
    /// Relative to the suite's directory.
    pub(in crate::repo) location: &'a str,
    /// Seconds since 1970-01-01 UTC: when it was published.
    pub(in crate::repo) time: i64,
}

/// Describes a package.
pub(in crate::repo) fn describe(info: &RpmInfo, published: &Published<'_>) -> Elements {
    let head = format!(
        "<package pkgid=\"{}\" name=\"{}\" arch=\"{}\">\n  {}\n",
        published.sha256,
        escape(&info.name),
        escape(&info.architecture),
        version(info)
    );
    Elements { primary: primary(info, published), filelists: filelists(info, &head), other: other(info, &head) }
}

/// Whether a file stands in primary.xml.
fn is_primary(path: &str) -> bool {
    path.starts_with("/etc/") || path == "/usr/lib/sendmail" || path.contains("bin/")
}

fn version(info: &RpmInfo) -> String {
    let epoch = info.epoch.unwrap_or(0);
    format!("<version epoch=\"{epoch}\" ver=\"{}\" rel=\"{}\"/>", escape(&info.version), escape(&info.release))
}

fn primary(info: &RpmInfo, published: &Published<'_>) -> String {
    let mut xml = String::from("<package type=\"rpm\">\n");
    element(&mut xml, "  ", "name", &info.name);
    element(&mut xml, "  ", "arch", &info.architecture);
    let _ = writeln!(xml, "  {}", version(info));
    let _ = writeln!(xml, "  <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum>", published.sha256);
    element(&mut xml, "  ", "summary", &info.summary);
    element(&mut xml, "  ", "description", &info.description);
    element(&mut xml, "  ", "packager", info.packager.as_deref().unwrap_or_default());
    element(&mut xml, "  ", "url", info.url.as_deref().unwrap_or_default());
    let _ = writeln!(xml, "  <time file=\"{}\" build=\"{}\"/>", published.time, info.build_time);
    let _ = writeln!(
        xml,
        "  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>",
        info.package_size, info.installed_size, info.archive_size
    );
    let _ = writeln!(xml, "  <location href=\"{}\"/>", escape(published.location));
    xml.push_str("  <format>\n");
    element(&mut xml, "    ", "rpm:license", &info.license);
    element(&mut xml, "    ", "rpm:vendor", info.vendor.as_deref().unwrap_or_default());
    element(&mut xml, "    ", "rpm:group", info.group.as_deref().unwrap_or("Unspecified"));
    element(&mut xml, "    ", "rpm:buildhost", info.build_host.as_deref().unwrap_or_default());
    element(&mut xml, "    ", "rpm:sourcerpm", info.source_rpm.as_deref().unwrap_or_default());
    let (start, end) = info.header_range;
    let _ = writeln!(xml, "    <rpm:header-range start=\"{start}\" end=\"{end}\"/>");
    let lists = [
        ("rpm:provides", &info.provides),
        ("rpm:requires", &info.requires),
        ("rpm:conflicts", &info.conflicts),
        ("rpm:obsoletes", &info.obsoletes),
        ("rpm:suggests", &info.suggests),
        ("rpm:enhances", &info.enhances),
        ("rpm:recommends", &info.recommends),
        ("rpm:supplements", &info.supplements),
    ];
    for (name, dependencies) in lists {
        if name == "rpm:requires" {
            relations(&mut xml, name, &needed(info), true);
        } else {
            relations(&mut xml, name, &dependencies.iter().collect::<Vec<_>>(), false);
        }
    }
    for file in info.files.iter().filter(|file| is_primary(&file.path)) {
        file_element(&mut xml, "    ", file);
    }
    xml.push_str("  </format>\n</package>\n");
    xml
}

/// The requirements that a client must see, as createrepo_c selects them (`parsehdr.c`): not `rpmlib(…)`, which rpm itself
/// has; not what the package provides itself, by a relation or by a file of primary.xml; of the versions of the C library's
/// symbols the highest, which has the others.
fn needed(info: &RpmInfo) -> Vec<&Dependency> {
    fn same(dependency: &Dependency) -> (&str, Option<&'static str>, &str) {
        (&dependency.name, dependency.sense(), &dependency.version)
    }
    let provided: HashSet<_> = info.provides.iter().map(same).collect();
    let files: HashSet<&str> = info.files.iter().map(|file| file.path.as_str()).collect();
    let own = |name: &str| name.starts_with('/') && is_primary(name) && files.contains(name);
    let wanted = info.requires.iter().filter(|dependency| {
        !dependency.is_rpmlib() && !own(&dependency.name) && !provided.contains(&same(dependency))
    });
    let (library, mut needed): (Vec<_>, Vec<_>) = wanted.partition(|dependency| dependency.name.starts_with(LIBC));
    needed.extend(library.into_iter().reduce(|highest, other| {
        if compare_symbols(&other.name, &highest.name) == Ordering::Greater { other } else { highest }
    }));
    needed
}

/// Compares `libc.so.6(GLIBC_2.3.4)(64bit)` by the version of its symbols; without one it is the lowest.
fn compare_symbols(left: &str, right: &str) -> Ordering {
    let version = |name: &str| -> Vec<u64> {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inner, _)| inner);
        let digits = inner.trim_start_matches(|character: char| !character.is_ascii_digit());
        digits.split('.').map_while(|part| part.parse().ok()).collect()
    };
    version(left).cmp(&version(right))
}

/// One list of relations.
fn relations(xml: &mut String, name: &str, dependencies: &[&Dependency], requires: bool) {
    let mut entries: Vec<String> = Vec::new();
    for dependency in dependencies {
        let mut entry = format!("      <rpm:entry name=\"{}\"", escape(&dependency.name));
        if let Some(sense) = dependency.sense() {
            let (epoch, version, release) = dependency.epoch_version_release();
            let epoch = if epoch.is_empty() { "0" } else { epoch };
            let _ = write!(entry, " flags=\"{sense}\" epoch=\"{}\" ver=\"{}\"", escape(epoch), escape(version));
            if !release.is_empty() {
                let _ = write!(entry, " rel=\"{}\"", escape(release));
            }
        }
        if requires && dependency.is_pre() {
            entry.push_str(" pre=\"1\"");
        }
        entry.push_str("/>\n");
        entries.push(entry);
    }
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    if !entries.is_empty() {
        let _ = write!(xml, "    <{name}>\n{}    </{name}>\n", entries.concat());
    }
}

fn filelists(info: &RpmInfo, head: &str) -> String {
    let mut xml = head.to_owned();
    for file in &info.files {
        file_element(&mut xml, "  ", file);
    }
    xml.push_str("</package>\n");
    xml
}

fn other(info: &RpmInfo, head: &str) -> String {
    let mut xml = head.to_owned();
    for (time, entry) in dated(&info.changelog) {
        let (author, text) = (escape(&entry.author), escape(&entry.text));
        let _ = writeln!(xml, "  <changelog author=\"{author}\" date=\"{time}\">{text}</changelog>");
    }
    xml.push_str("</package>\n");
    xml
}

/// The newest entries, oldest first, with their times. Entries of one day have the same time in the package; clients sort by
/// it, so createrepo_c makes the later ones later, a second each.
fn dated(changelog: &[ChangelogEntry]) -> Vec<(i64, &ChangelogEntry)> {
    let mut dated: Vec<(i64, &ChangelogEntry)> = Vec::new();
    for entry in changelog.iter().take(CHANGELOG_ENTRIES) {
        for (taken, (time, _)) in (entry.time..).zip(dated.iter_mut().rev()) {
            if *time != taken {
                break;
            }
            *time += 1;
        }
        dated.push((entry.time, entry));
    }
    dated.reverse();
    dated
}

fn file_element(xml: &mut String, indent: &str, file: &crate::format::FileInfo) {
    let kind = match (file.kind, file.ghost) {
        (FileKind::Directory, _) => " type=\"dir\"",
        (_, true) => " type=\"ghost\"",
        _ => "",
    };
    let _ = writeln!(xml, "{indent}<file{kind}>{}</file>", escape(&file.path));
}

fn element(xml: &mut String, indent: &str, name: &str, text: &str) {
    let text = escape(text);
    let _ = if text.is_empty() {
        writeln!(xml, "{indent}<{name}/>")
    } else {
        writeln!(xml, "{indent}<{name}>{text}</{name}>")
    };
}

/// Text for XML 1.0: characters that it cannot hold at all are left out, as createrepo_c does.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    // The last two of the basic plane begin with this byte.
    let is_plain = |byte: u8| byte >= b' ' && byte != 0xef && !b"&<>\"".contains(&byte);
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' | '\u{0}'..='\u{1f}' => {}
            _ => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_xml_cannot_hold_is_left_out_and_markup_is_escaped() {
        assert_eq!(escape("a\u{0}<b>\u{1b}[1m & \"c\"\u{ffff}\n"), "a&lt;b&gt;[1m &amp; &quot;c&quot;\n");
    }

    #[test]
    fn the_files_that_packages_may_depend_on_stand_in_primary() {
        for path in ["/etc/acme.toml", "/usr/bin/acme", "/usr/sbin/acme", "/usr/lib/sendmail", "/opt/bin/x"] {
            assert!(is_primary(path), "{path}");
        }
        for path in ["/usr/lib/acme", "/usr/share/etc/x", "/usr/bin", "/etc"] {
            assert!(!is_primary(path), "{path}");
        }
    }
}

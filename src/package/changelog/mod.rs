//! Renders a [`Changelog`] as `debian/changelog` (deb-changelog(5)), as the entries of RPM's header (rpm-spec(5),
//! `%changelog`), and as Markdown.
//!
//! Whatever stands in a [`Release`] cannot break out of its place: text is cleaned again here ([`clean`]), every line
//! of a change is indented, and names and addresses are those of [`person`].
//!
//! Where the changes of a release follow Conventional Commits they stand in groups, see [`groups`].

mod conventional;

use jiff::Timestamp;

pub(crate) use conventional::Subject;
pub use conventional::{Group, groups};

use crate::config::Maintainer;
use crate::name::PackageName;
use crate::package::{Changelog, Release};

/// The earliest time that everybody bears, 1985-01-01: rpm refuses 1970 (`bad date`), zip begins with 1980, and Debian's
/// archive refuses what is older than 1984.
pub const EARLIEST: i64 = 473_385_600;
/// The latest time that RPM's 32 bits hold.
pub const LATEST: i64 = u32::MAX as i64;

/// One entry of RPM's header: `RPMTAG_CHANGELOGTIME`, `…NAME`, `…TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpmEntry {
    /// Noon UTC of the day, in seconds since 1970-01-01.
    pub time: u32,
    /// `Name <mail> - [epoch:]version-release`.
    pub name: String,
    /// Lines that begin with `- `, continued with two spaces; no line break at the end.
    pub text: String,
}

/// The text of `debian/changelog`: lines of at most 78 columns unless a word is longer. `suite` is the distribution
/// field, the same for all releases.
pub fn debian(changelog: &Changelog, package: &PackageName, suite: &str) -> String {
    let mut text = String::new();
    for release in &changelog.releases {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{package} ({}) {suite}; urgency=medium\n\n", release.version.debian()));
        for line in
            listed(release, &Bullets { outer: "  * ", outer_next: "    ", inner: "    - ", inner_next: "      " })
        {
            text.push_str(&line);
            text.push('\n');
        }
        let date = timestamp(release.time).strftime("%a, %d %b %Y %H:%M:%S +0000");
        text.push_str(&format!("\n -- {}  {date}\n", person(&release.author.name, &release.author.mail)));
    }
    text
}

/// The entries of RPM's header, newest first, never ascending.
pub fn rpm(changelog: &Changelog) -> Vec<RpmEntry> {
    let mut latest = u32::MAX;
    let mut entries = Vec::new();
    for release in &changelog.releases {
        let clamped = release.time.clamp(EARLIEST, LATEST);
        let noon = clamped - clamped.rem_euclid(86_400) + 43_200;
        let time = u32::try_from(noon).unwrap_or(u32::MAX).min(latest);
        latest = time;
        let bullets = Bullets { outer: "- ", outer_next: "  ", inner: "  + ", inner_next: "    " };
        let lines = listed(release, &bullets);
        let name = format!("{} - {}", person(&release.author.name, &release.author.mail), release.version.rpm());
        entries.push(RpmEntry { time, name, text: lines.join("\n") });
    }
    entries
}

/// The changelog for people, with versions as Debian spells them without its revision.
pub fn markdown(changelog: &Changelog) -> String {
    let mut text = String::from("# Changelog\n");
    for release in &changelog.releases {
        let date = timestamp(release.time).strftime("%Y-%m-%d");
        text.push_str(&format!("\n## {} ({date})\n", release.version.debian));
        for group in groups(&release.changes) {
            text.push('\n');
            if let Some(title) = group.title {
                text.push_str(&format!("### {title}\n\n"));
            }
            for change in group.changes {
                text.push_str(&format!("- {}\n", escape_markdown(&change)));
            }
        }
    }
    text
}

/// How lines of a list begin and go on: of changes without a group and of headings, and of changes below a heading.
struct Bullets {
    outer: &'static str,
    outer_next: &'static str,
    inner: &'static str,
    inner_next: &'static str,
}

/// The changes of a release as wrapped lines.
fn listed(release: &Release, bullets: &Bullets) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups(&release.changes) {
        let (first, next) = match group.title {
            None => (bullets.outer, bullets.outer_next),
            Some(title) => {
                lines.push(format!("{}{title}:", bullets.outer));
                (bullets.inner, bullets.inner_next)
            }
        };
        lines.extend(group.changes.iter().flat_map(|change| wrap(change, first, next)));
    }
    lines
}

fn timestamp(time: i64) -> Timestamp {
    Timestamp::from_second(time.clamp(EARLIEST, LATEST)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Characters that mean something to Markdown or to HTML, made plain.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Breaks `text` at spaces into lines of at most 78 columns; a longer word keeps a line of its own.
fn wrap(text: &str, first: &str, next: &str) -> Vec<String> {
    const COLUMNS: usize = 78;
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut columns = first.chars().count();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if !empty && columns + 1 + length > COLUMNS {
            lines.push(std::mem::replace(&mut line, next.to_owned()));
            columns = next.chars().count();
            empty = true;
        }
        if !empty {
            line.push(' ');
            columns += 1;
        }
        line.push_str(word);
        columns += length;
        empty = false;
    }
    if !empty {
        lines.push(line);
    }
    lines
}

/// One line of plain text: escape sequences of terminals, control characters, and those that turn the direction of
/// writing or show nothing are gone; each run of white space is one space.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let space = character.is_whitespace() || matches!(character, '\u{2028}' | '\u{2029}');
        if character == '\u{1b}' {
            skip_escape_sequence(&mut characters);
        } else if character == '\u{9b}' {
            skip_parameters(&mut characters);
        } else if space {
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if !is_hidden(character) {
            cleaned.push(character);
        }
    }
    cleaned.trim().to_owned()
}

/// ECMA-48: `ESC [` introduces parameters and a final byte, `ESC ]` a string that BEL or `ESC \` ends.
fn skip_escape_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.peek() {
        Some('[') => {
            characters.next();
            skip_parameters(characters);
        }
        Some(']') => {
            while let Some(character) = characters.next() {
                if character == '\u{7}' || (character == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn skip_parameters(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while characters.next_if(|character| matches!(character, ' '..='?')).is_some() {}
    characters.next_if(|character| matches!(character, '@'..='~'));
}

/// Control characters, the marks that turn the direction of writing, characters without width, and those that XML
/// (and so yum's metadata) cannot hold.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `Name <mail>` in the one form that both formats read: no `<`, `>` or line break in either part, no name that is
/// empty, no mail that is none.
pub fn person(name: &str, mail: &str) -> Maintainer {
    let without_brackets: String = name.chars().map(|c| if matches!(c, '<' | '>') { ' ' } else { c }).collect();
    let mut name: String = clean(&without_brackets).chars().take(100).collect();
    if name.trim().is_empty() {
        name = "Unknown".to_owned();
    }
    let mail = mail.trim();
    let mail = if is_mail(mail) { mail.to_owned() } else { "unknown@mail.invalid".to_owned() };
    Maintainer { name: name.trim().to_owned(), mail }
}

/// Whether `mail` is a plain address (the dot-atom form of RFC 5322, 3.4.1).
fn is_mail(mail: &str) -> bool {
    let Some((local, domain)) = mail.split_once('@') else { return false };
    let atom = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    mail.len() <= 254 && atom(local, b".!#$%&'*+/=?^_`{|}~-") && atom(domain, b".-")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;
    use crate::package::Version;

    fn version(text: &str) -> Version {
        Version { epoch: 0, debian: text.to_owned(), rpm: text.to_owned(), revision: "1".to_owned() }
    }

    fn release(number: &str, time: i64, changes: &[&str]) -> Release {
        Release {
            version: version(number),
            time,
            author: Maintainer { name: "Acme Cloud".to_owned(), mail: "cloud@acme.example".to_owned() },
            changes: changes.iter().map(|&change| change.to_owned()).collect(),
        }
    }

    fn hostile() -> Changelog {
        let long = "word ".repeat(200);
        let mut evil = release(
            "1.1.0",
            1_700_000_000,
            &[
                " -- Mallory <m@example.org>  Thu, 01 Jan 1970 00:00:00 +0000",
                "evil (9.9) unstable; urgency=high",
                "first\nevil (9.9-1) unstable; urgency=low\n\n  * x\n\n -- M <m@example.org>  Thu, 01 Jan 2022 00:00:00 +0000",
                "* Thu Jan 01 2099 M <m@example.org> - 9-9",
                "%(touch /tmp/x) %{lua:os.exit()} %changelog",
                "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}text \u{202e}txet",
                &long,
                "# a comment",
                "fix: caf\u{e9} \u{1f600}",
            ],
        );
        evil.author = Maintainer { name: "Eve\n -- <x> \u{0}".to_owned(), mail: "no mail>".to_owned() };
        Changelog { releases: vec![evil, release("1.0.0", 1_600_000_000, &["Begin"])] }
    }

    fn parsechangelog(text: &str) -> String {
        let mut child = Command::new("dpkg-parsechangelog")
            .args(["-l", "-", "--format", "rfc822", "--all"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dpkg-parsechangelog runs");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ended");
        assert!(output.stderr.is_empty(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    #[test]
    fn a_hostile_history_stays_inside_its_entry_for_dpkg() {
        let name = PackageName::parse("acme-api").expect("a name");
        let text = debian(&hostile(), &name, "bookworm");
        let parsed = parsechangelog(&text);
        let versions: Vec<&str> = parsed.lines().filter(|line| line.starts_with("Version: ")).collect();
        assert_eq!(versions, ["Version: 1.1.0-1", "Version: 1.0.0-1"], "{text}");
        assert!(parsed.contains("Maintainer: Eve -- x <unknown@mail.invalid>"), "{parsed}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert!(text.contains("  * Other changes:\n") && text.contains("    - red text txet\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn rpm_reads_the_same_entries_from_a_spec() {
        let entries = rpm(&hostile());
        assert_eq!(entries[0].time % 86_400, 43_200);
        assert!(entries[0].time >= entries[1].time);
        let mut spec = String::from(
            "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n%changelog\n",
        );
        for entry in &entries {
            let date = Timestamp::from_second(i64::from(entry.time)).expect("a time").strftime("%a %b %d %Y");
            spec.push_str(&format!("* {date} {}\n{}\n\n", entry.name, entry.text).replace('%', "%%"));
        }
        let file = tempfile::NamedTempFile::with_suffix(".spec").expect("a temporary file");
        fs_err::write(file.path(), &spec).expect("written");
        let query = "[%{CHANGELOGTIME}|%{CHANGELOGNAME}|%{CHANGELOGTEXT}\\n--\\n]";
        let output =
            Command::new("rpmspec").args(["-q", "--srpm", "--qf", query]).arg(file.path()).output().expect("rpmspec");
        let answer = String::from_utf8(output.stdout).expect("text");
        let expected: String =
            entries.iter().map(|entry| format!("{}|{}|{}\n--\n", entry.time, entry.name, entry.text)).collect();
        assert_eq!(answer, expected, "{}\n{spec}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn absurd_dates_are_clamped_to_what_both_formats_bear() {
        for time in [i64::MIN, 0, 100_000_000_000, i64::MAX] {
            let changelog = Changelog { releases: vec![release("1.0.0", time, &["x"])] };
            let text = debian(&changelog, &PackageName::parse("xx").expect("a name"), "bookworm");
            parsechangelog(&text);
            assert!(text.contains("1985") || text.contains("2106"), "{text}");
            assert_eq!(rpm(&changelog).len(), 1);
        }
    }

    #[test]
    fn markdown_shows_changes_as_they_were_written() {
        let changelog = Changelog { releases: vec![release("1.0.0", 1_600_000_000, &["fix: use <b> and `x`"])] };
        insta::assert_snapshot!(markdown(&changelog), @r"
        # Changelog

        ## 1.0.0 (2020-09-13)

        ### Fixes

        - use \<b\> and \`x\`
        ");
    }

    #[test]
    fn groups_are_lists_in_each_format() {
        let changes = ["feat(api): a thing", "Merge it", "fix!: another"];
        let changelog = Changelog { releases: vec![release("1.0.0", 1_600_000_000, &changes)] };
        let text = debian(&changelog, &PackageName::parse("acme-api").expect("a name"), "bookworm");
        let parsed = parsechangelog(&text);
        for expected in ["  * Breaking changes:\n    - another\n", "  * New features:\n    - api: a thing\n"] {
            assert!(text.contains(expected) && parsed.contains("- another"), "{text}");
        }
        assert_eq!(
            rpm(&changelog)[0].text,
            "- Breaking changes:\n  + another\n- New features:\n  + api: a thing\n- Other changes:\n  + Merge it"
        );
        insta::assert_snapshot!(markdown(&changelog), @r"
        # Changelog

        ## 1.0.0 (2020-09-13)

        ### Breaking changes

        - another

        ### New features

        - api: a thing

        ### Other changes

        - Merge it
        ");
    }

    proptest! {
        #[test]
        fn no_text_reaches_the_first_column(change in any::<String>(), name in any::<String>(), mail in any::<String>()) {
            let mut one = release("1.0.0", 1_600_000_000, &[&change, "end"]);
            one.author = Maintainer { name, mail };
            let text = debian(&Changelog { releases: vec![one] }, &PackageName::parse("xx").expect("a name"), "s");
            let flush: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with("  ")).collect();
            prop_assert_eq!(flush.len(), 2, "{}", text);
            prop_assert!(flush[0].starts_with("xx (1.0.0-1) s; urgency=medium"));
            prop_assert!(flush[1].starts_with(" -- "));
            prop_assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)));
        }
    }
}

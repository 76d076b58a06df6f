//! Users and groups of a service (sysusers.d(5)): made from `user`, or given as files of the repository.
//!
//! The generated line has the type `u` alone: `u!`, which locks the account, needs systemd 257, and an older
//! systemd-sysusers refuses the whole file, so that the package could not be configured.

use super::{Error, LineProblem, ServiceFacts, add, fields, line_problem, read_text};
use crate::config::{Settings, SystemdSettings, value};
use crate::package::template;
use crate::target::Target;
use crate::tree::Tree;

/// Where the files go.
pub(super) const DIRECTORY: &str = "/usr/lib/sysusers.d";

/// The users and groups of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::package) struct Sysusers {
    /// Base names of the files with their lines, comments left out; sorted by name.
    files: Vec<(String, Vec<String>)>,
}

impl Sysusers {
    /// From a file's name and its lines.
    #[cfg(test)]
    pub(in crate::package) fn new(name: &str, lines: &[&str]) -> Self {
        Self { files: vec![(name.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect())] }
    }

    /// Base names of the files, sorted.
    pub(in crate::package) fn names(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    /// All lines that count.
    pub(in crate::package) fn lines(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|(_, lines)| lines.iter().map(String::as_str))
    }

    /// The lines as one text.
    pub(in crate::package) fn text(&self) -> String {
        self.lines().collect::<Vec<_>>().join("\n")
    }

    /// Whether users become members of groups.
    pub(in crate::package) fn has_members(&self) -> bool {
        self.lines().any(|line| line.split_whitespace().next() == Some("m"))
    }

    /// rpm ≥ 4.19 makes the users that a package provides as `user(NAME) = BASE64-OF-THE-LINE`, with their groups
    /// (rpm's fileattrs/sysusers.attr and its macro `add_sysuser`).
    pub(in crate::package) fn provides(&self) -> Vec<String> {
        let mut provides = Vec::new();
        for line in self.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let encoded = encoded(&words.join(" "));
            match words.as_slice() {
                ["u" | "u!", name, ..] => {
                    provides.extend([format!("user({name}) = {encoded}"), format!("group({name})")]);
                }
                ["g", name, ..] => provides.push(format!("group({name}) = {encoded}")),
                ["m", user, group, ..] => provides.push(format!("groupmember({user}/{group}) = {encoded}")),
                // rpm makes no use of ranges.
                _ => {}
            }
        }
        provides.sort();
        provides.dedup();
        provides
    }

    /// What rpm's `sysusers.attr` requires: the users and groups of memberships, unless the package makes them.
    pub(in crate::package) fn requires(&self) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let members = self.lines().map(words).filter(|words| words.first().is_some_and(|kind| kind == "m"));
        let wanted = members.flat_map(|words| match words.as_slice() {
            [_, user, group, ..] => vec![format!("user({user})"), format!("group({group})")],
            _ => Vec::new(),
        });
        let provides = self.provides();
        let made = |name: &str| provides.iter().any(|provide| provide.split(' ').next() == Some(name));
        let mut requires: Vec<String> = wanted.filter(|name| !made(name)).collect();
        requires.sort();
        requires.dedup();
        requires
    }
}

/// Padded with NUL so that the base64 has no `=`.
fn encoded(line: &str) -> String {
    use base64::Engine as _;
    let mut bytes = line.as_bytes().to_vec();
    while !bytes.len().is_multiple_of(3) {
        bytes.push(0);
    }
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Adds the files to `tree`.
pub(super) fn install(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    tree: &mut Tree,
) -> Result<Option<Sysusers>, Error> {
    let package = service.package();
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    for file in &systemd.sysusers {
        let text = read_text(settings, service, "sysusers.d file", &file.path)?;
        let lines = parse(&text, target.distribution.systemd)
            .map_err(|wrong| line_problem(service, "sysusers.d file", &file.path, &text, wrong))?;
        let name = super::installed_name(file);
        add(service, tree, &format!("{DIRECTORY}/{name}"), &text)?;
        files.push((name, lines));
    }
    if let Some(user) = &systemd.user {
        let defined = |line: &String| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|kind| kind.starts_with('u')) && words.next() == Some(user.as_str())
        };
        if !files.iter().any(|(_, lines)| lines.iter().any(defined)) {
            let line = format!("u {user} - \"{}\" /var/lib/{package}", gecos(service.summary, package));
            let name = format!("{package}.conf");
            add(service, tree, &format!("{DIRECTORY}/{name}"), &format!("{line}\n"))?;
            files.push((name, vec![line]));
        }
    }
    files.sort();
    Ok((!files.is_empty()).then_some(Sysusers { files }))
}

/// The GECOS field of the service's user: a colon would end it in passwd(5), and systemd-sysusers refuses the line.
fn gecos(summary: &str, package: &str) -> String {
    let text = template::unit_value(&summary.replace(['"', '\\', ':'], " "));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { package.to_owned() } else { text }
}

/// The lines of a file that count, each checked.
fn parse(text: &str, systemd: u32) -> Result<Vec<String>, LineProblem> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        check(line, systemd).map_err(|(problem, hint)| LineProblem { line: index + 1, problem, hint })?;
        lines.push(line.to_owned());
    }
    Ok(lines)
}

type Refused = (String, Option<String>);

fn check(line: &str, systemd: u32) -> Result<(), Refused> {
    let refuse = |problem: String| Err((problem, None));
    let Some(fields) = fields(line) else { return refuse("has an unclosed quote".to_owned()) };
    let field = |index: usize| fields.get(index).map(String::as_str).filter(|field| *field != "-");
    let longest = match field(0) {
        Some("u" | "u!") => 6,
        Some("g" | "m" | "r") => 3,
        kind => {
            let hint = "sysusers.d(5) has the types `u`, `u!`, `g`, `m` and `r`";
            return Err((format!("has the unknown type `{}`", kind.unwrap_or("-")), Some(hint.to_owned())));
        }
    };
    if fields.len() > longest {
        return refuse(format!("has {} fields, of which systemd takes {longest}", fields.len()));
    }
    if field(0) == Some("u!") && systemd < 257 {
        let hint = format!("write `u`: this target has systemd {systemd}, which would refuse the whole file");
        return Err(("has the type `u!`, which came with systemd 257".to_owned(), Some(hint)));
    }
    if field(0) == Some("r") {
        let range = field(2).unwrap_or_default();
        let good = field(1).is_none() && range.split('-').all(is_number) && range.split('-').count() <= 2;
        return if good { Ok(()) } else { refuse(format!("`{range}` is no range of numbers")) };
    }
    let name = field(1).unwrap_or_default();
    value::user(name).map_err(|rule| (rule, None))?;
    if field(0) == Some("m") {
        // A group of the distribution, such as `adm`.
        let group = field(2).unwrap_or_default();
        let good = group.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && group.len() <= 31
            && group.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        return if good { Ok(()) } else { refuse(format!("`{group}` is no group's name")) };
    }
    if let Some(id) = field(2)
        && !(id.starts_with('/') || id.split(':').next().is_some_and(is_number))
    {
        return refuse(format!("`{id}` is neither a number nor a path"));
    }
    if field(3).is_some_and(|gecos| gecos.contains(':')) {
        return refuse("has a colon in its description, which passwd(5) cannot hold".to_owned());
    }
    for path in [4, 5].into_iter().filter_map(field) {
        if !path.starts_with('/') || path.contains(':') || path.split('/').any(|part| part == "..") {
            return refuse(format!("`{path}` is no absolute path"));
        }
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number != 0 && number < 65_535)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_the_manual_page_has_them_are_taken() {
        let text = "# users\n\nu acme-api - \"API: no\" \n";
        assert!(parse(text, 257).is_err(), "a colon would end the field");
        let text = "#Type Name ID GECOS\nu acme-api - \"The API\" /var/lib/acme-api /usr/sbin/nologin\n\
                    u acme-b 450:acme \ng acme 451\nm acme-api adm\nr - 500-900\nu acme-c /usr/bin/acme-api\n";
        assert_eq!(parse(text, 239).map(|lines| lines.len()).map_err(|wrong| wrong.problem), Ok(6));
    }

    #[test]
    fn a_locked_user_is_refused_where_systemd_does_not_know_it() {
        let wrong = parse("\nu! acme-api -\n", 252).expect_err("too old");
        assert_eq!(wrong.line, 2);
        assert!(wrong.hint.is_some_and(|hint| hint.contains("write `u`")));
        assert!(parse("u! acme-api -\n", 257).is_ok());
    }

    #[test]
    fn hostile_lines_are_refused() {
        for line in [
            "u root -",
            "u root; rm -rf / -",
            "u \"root; rm -rf /\" -",
            "u $(id) -",
            "u acme`id` -",
            "u ../x -",
            "u -x -",
            "u acme%n -",
            "u acme 0",
            "u acme 0:0",
            "u acme - \"open",
            "u acme - \"a:0:0\"",
            "u acme - - ../home",
            "u acme - - /home/../root",
            "u acme - - /home sh",
            "u acme - - /home /bin/sh more",
            "m acme 'adm; id'",
            "m root adm",
            "g wheel; -",
            "r - x",
            "x acme",
            "u",
            "-",
        ] {
            assert!(parse(line, 257).is_err(), "{line} must be refused");
        }
    }

    #[test]
    fn provides_are_what_rpm_decodes() {
        let users = Sysusers::new("x.conf", &["u acme - \"A\" /", "g staff2 450", "m acme staff2", "u b 1:2"]);
        let provides = users.provides();
        assert!(
            provides.contains(&"group(acme)".to_owned()) && provides.contains(&"group(b)".to_owned()),
            "{provides:?}"
        );
        assert!(users.requires().is_empty());
        assert_eq!(Sysusers::new("x.conf", &["u acme -", "m acme adm"]).requires(), ["group(adm)"]);
        assert!(provides.iter().all(|provide| !provide.ends_with('=')), "{provides:?}");
        assert!(provides.iter().any(|provide| provide.starts_with("groupmember(acme/staff2) = ")), "{provides:?}");
    }
}

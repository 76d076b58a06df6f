//! Man pages (Debian Policy 12.1) and shell completions of a service.
//!
//! Those of the repository go to their places. A command that has no page gets one: from what it prints for `--help`, as
//! help2man(1) makes it, or, where it could not be asked, from what is known of the package. Every page is compressed as
//! debhelper and brp-compress do (`gzip -9n`); the date is the package's.

mod error;
mod help;
mod roff;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use error::PageError;
pub use help::LONGEST_HELP;

use self::help::{Help, Item, Section};
use self::roff::Page;
use super::assemble::gzip;
use super::{Error, Version};
use crate::config::value::stays_inside;
use crate::config::{Addition, ServiceSettings, Settings, Shell, page_name};
use crate::name::PackageName;
use crate::target::{Format, Target};
use crate::tree::{Content, Entry, InstallPath, Node, Role, Tree};

/// The largest page that is taken, unpacked.
const LARGEST_PAGE: u64 = 16 * 1024 * 1024;

/// What pages and completions are made from.
pub(super) struct Facts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) service: &'a ServiceSettings,
    pub(super) package: &'a PackageName,
    /// The service's absolute directory.
    pub(super) directory: &'a Path,
    pub(super) summary: &'a str,
    pub(super) version: &'a Version,
    pub(super) target: &'a Target,
    /// Seconds since 1970.
    pub(super) time: i64,
    /// Linked into `/usr/bin`.
    pub(super) commands: &'a [String],
}

/// A man page of the repository.
struct Source {
    path: PathBuf,
    name: String,
    section: String,
}

/// The commands among `commands` for which `man` of the service names no page.
pub fn undocumented<'a>(
    service: &ServiceSettings,
    directory: &Path,
    commands: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>, PageError> {
    let pages = sources(service, directory)?;
    let documented: BTreeSet<&str> =
        pages.iter().filter(|page| page.section.starts_with(['1', '6', '8'])).map(|page| page.name.as_str()).collect();
    Ok(commands.filter(|command| !documented.contains(command)).collect())
}

/// Where the service's own pages go; none while they cannot be told.
pub(super) fn paths(service: &ServiceSettings, directory: &Path) -> Vec<String> {
    let pages = sources(service, directory).unwrap_or_default();
    pages.iter().map(|page| man_path(&page.name, &page.section)).collect()
}

/// Whether what a command printed is a help text that a page can be made from.
pub fn is_help(text: &str) -> bool {
    Help::parse(text).is_some()
}

/// Adds pages and completions to `tree`, which has everything else already. `help` is what commands print for `--help`.
pub(super) fn install(facts: &Facts<'_>, help: &BTreeMap<String, String>, tree: &mut Tree) -> Result<(), Error> {
    let failed = |error| Error::Page { package: facts.package.to_string(), error };
    for page in sources(facts.service, facts.directory).map_err(failed)? {
        let bytes = read(&facts.settings.root, facts.directory, &page.path).map_err(failed)?;
        add(facts, tree, &man_path(&page.name, &page.section), gzip(&bytes)?, Role::Documentation)?;
    }
    for completion in &facts.service.pages.completions {
        let (place, file) = (completion_path(completion.shell, &completion.command, facts.target), &completion.file);
        if !facts.commands.contains(&completion.command) {
            let (command, known) = (completion.command.clone(), facts.commands.join(", "));
            return Err(failed(PageError::UnknownCommand { file: file.clone(), command, known }));
        }
        let bytes = source(&facts.settings.root, facts.directory, file, "the completion file").map_err(failed)?;
        add(facts, tree, &place, bytes, Role::Plain)?;
    }
    if !facts.service.adds(Addition::ManPages) {
        return Ok(());
    }
    for command in
        undocumented(facts.service, facts.directory, facts.commands.iter().map(String::as_str)).map_err(failed)?
    {
        // Another way of installing files may have brought one.
        let places = ["1", "6", "8"].map(|section| InstallPath::parse(&man_path(command, section)));
        if places.into_iter().flatten().any(|place| tree.get(&place).is_some()) {
            continue;
        }
        let text = page(facts, command, help.get(command).and_then(|text| Help::parse(text)), tree);
        add(facts, tree, &man_path(command, "1"), gzip(text.as_bytes())?, Role::Documentation)?;
    }
    Ok(())
}

fn add(facts: &Facts<'_>, tree: &mut Tree, path: &str, bytes: Vec<u8>, role: Role) -> Result<(), Error> {
    let package = || facts.package.to_string();
    let path = InstallPath::parse(path).map_err(|invalid| Error::Path { package: package(), invalid })?;
    let entry = Entry::root(Node::File(Content::bytes(bytes)), 0o644).with_role(role);
    tree.insert(path, entry).map_err(|conflict| Error::Conflict { package: package(), conflict })
}

fn man_path(name: &str, section: &str) -> String {
    let directory: String = section.chars().take(1).collect();
    format!("/usr/share/man/man{directory}/{name}.{section}.gz")
}

/// Where the shells of the distributions look (bash-completion's README, `fish_complete_path`, `fpath` of zsh's packages).
fn completion_path(shell: Shell, command: &str, target: &Target) -> String {
    match (shell, target.format()) {
        (Shell::Bash, _) => format!("/usr/share/bash-completion/completions/{command}"),
        (Shell::Fish, _) => format!("/usr/share/fish/vendor_completions.d/{command}.fish"),
        (Shell::Zsh, Format::Deb) => format!("/usr/share/zsh/vendor-completions/_{command}"),
        (Shell::Zsh, Format::Rpm) => format!("/usr/share/zsh/site-functions/_{command}"),
    }
}

/// The pages that `man` names, sorted.
fn sources(service: &ServiceSettings, directory: &Path) -> Result<Vec<Source>, PageError> {
    let mut paths = BTreeSet::new();
    for pattern in &service.pages.man {
        let name = pattern.file_name().unwrap_or_default().to_string_lossy();
        if !name.contains(['*', '?']) {
            paths.insert(pattern.clone());
            continue;
        }
        let below = pattern.parent().unwrap_or(Path::new(""));
        let glob = globset::GlobBuilder::new(&name).literal_separator(true).build();
        let glob = glob.map_err(|_| PageError::NoMatch { pattern: pattern.clone() })?.compile_matcher();
        let entries = match fs_err::read_dir(directory.join(below)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            entries => entries?.collect::<std::io::Result<Vec<_>>>()?,
        };
        let before = paths.len();
        let names = entries.iter().map(|entry| PathBuf::from(entry.file_name())).filter(|name| glob.is_match(name));
        paths.extend(names.map(|name| below.join(name)));
        if paths.len() == before {
            return Err(PageError::NoMatch { pattern: pattern.clone() });
        }
    }
    let source = |path: PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let (name, section) =
            page_name(&file).map_err(|rule| PageError::Page { path: path.clone(), problem: rule.clone() })?;
        let (name, section) = (name.to_owned(), section.to_owned());
        Ok(Source { name, section, path })
    };
    paths.into_iter().map(source).collect()
}

/// The file's content, from within the repository.
fn source(root: &Path, directory: &Path, file: &Path, what: &'static str) -> Result<Vec<u8>, PageError> {
    let path = directory.join(file);
    if !path.is_file() {
        return Err(PageError::Missing { what, path: file.to_path_buf() });
    }
    if !stays_inside(root, &path) {
        return Err(PageError::Outside { what, path: file.to_path_buf() });
    }
    let mut bytes = Vec::new();
    fs_err::File::open(&path)?.take(LARGEST_PAGE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_PAGE {
        return Err(PageError::Page { path: file.to_path_buf(), problem: "is larger than 16 MiB".to_owned() });
    }
    Ok(bytes)
}

/// A man page, unpacked and looked at.
fn read(root: &Path, directory: &Path, file: &Path) -> Result<Vec<u8>, PageError> {
    let problem = |problem: &str| PageError::Page { path: file.to_path_buf(), problem: problem.to_owned() };
    let mut bytes = source(root, directory, file, "the man page")?;
    if file.extension().is_some_and(|extension| extension == "gz") {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(LARGEST_PAGE + 1);
        decoder.read_to_end(&mut plain).map_err(|_| problem("is not compressed by gzip, as its name says"))?;
        if plain.len() as u64 > LARGEST_PAGE {
            return Err(problem("is larger than 16 MiB"));
        }
        bytes = plain;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| problem("is not UTF-8"))?;
    let title = |line: &str| {
        let line = line.trim_start_matches(['.', '\'']).trim_start();
        line.starts_with("TH ") || line.starts_with("Dd ")
    };
    if !text.lines().any(|line| line.starts_with(['.', '\'']) && title(line)) {
        return Err(problem("is no man page: no line begins with `.TH` (man) or `.Dd` (mdoc)"));
    }
    Ok(bytes)
}

/// The page of a command, in the order of man-pages(7).
fn page(facts: &Facts<'_>, command: &str, help: Option<Help>, tree: &Tree) -> String {
    let date = jiff::Timestamp::from_second(facts.time)
        .map_or_else(|_| String::new(), |time| time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string());
    let source = format!("{} {}", facts.package, facts.version.debian);
    let mut page = Page::new(command, "1", &date, &source, &facts.settings.maintainer(facts.service).name);
    page.section("NAME");
    page.summary(command, if facts.summary.is_empty() { command } else { facts.summary });
    let known = help.is_some();
    let mut help = help.unwrap_or_default();
    page.section("SYNOPSIS");
    for usage in &help.usage {
        match usage.split_once(' ').unwrap_or((usage, "")) {
            (program, rest) if program.rsplit('/').next() == Some(command) => page.synopsis(command, rest),
            _ => page.synopsis("", usage),
        }
    }
    if help.usage.is_empty() {
        page.synopsis(command, if known { "[options]" } else { "[arguments]" });
    }
    let (prose, titled) = std::mem::take(&mut help.sections).into_iter().fold(
        (Vec::new(), Vec::new()),
        |(mut prose, mut titled): (Vec<Section>, Vec<Section>), section| {
            // What comes before the first title describes; what comes after one remarks.
            if section.title.is_none() && titled.is_empty() {
                prose.push(section)
            } else {
                titled.push(section)
            }
            (prose, titled)
        },
    );
    page.section("DESCRIPTION");
    if prose.is_empty() {
        let text = facts.service.description.as_deref().unwrap_or(facts.summary);
        page.prose(text.lines());
    }
    prose.iter().for_each(|section| page.prose(section.dedented()));
    let notes = page.titled(titled);
    page.files(tree);
    if !notes.is_empty() {
        page.section("NOTES");
        notes.iter().for_each(|section| page.prose(section.dedented()));
    }
    page.see_also(facts, tree);
    page.finish()
}

impl Page {
    /// Paragraphs; one with indented lines or a list stays as it is.
    fn prose<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let lines: Vec<&str> = lines.collect();
        for paragraph in lines.split(|line| line.trim().is_empty()).filter(|paragraph| !paragraph.is_empty()) {
            let shaped = |line: &&str| line.starts_with([' ', '*', '•']) || line.starts_with("- ");
            if paragraph.iter().any(shaped) {
                self.verbatim(paragraph.iter().copied());
            } else {
                self.paragraph();
                paragraph.iter().for_each(|line| self.text(line));
            }
        }
    }

    /// The sections with a title, arguments and options first. Gives back what has none.
    fn titled(&mut self, sections: Vec<Section>) -> Vec<Section> {
        let mut notes = Vec::new();
        let mut kinds: [Vec<(String, Section)>; 6] = Default::default();
        let [arguments, options, commands, environment, others, examples] = &mut kinds;
        for section in sections {
            let Some(title) = section.title.clone() else {
                notes.push(section);
                continue;
            };
            let kind = match title.to_lowercase().as_str() {
                "positional arguments" | "arguments" | "args" => &mut *arguments,
                "options" | "optional arguments" | "flags" => {
                    // The common ones come first, without a title of their own.
                    let main = options.iter().take_while(|(title, _)| title.is_empty()).count();
                    options.insert(main, (String::new(), section));
                    continue;
                }
                "commands" | "subcommands" => &mut *commands,
                "environment" | "environment variables" => &mut *environment,
                "example" | "examples" => &mut *examples,
                _ if section.has_options() => &mut *options,
                _ => &mut *others,
            };
            kind.push((title, section));
        }
        let titles = ["ARGUMENTS", "OPTIONS", "COMMANDS", "ENVIRONMENT", "", "EXAMPLES"];
        for (title, sections) in titles.into_iter().zip(kinds) {
            if !title.is_empty() && !sections.is_empty() {
                self.section(title);
            }
            for (own, section) in &sections {
                match title {
                    "" => self.section(own),
                    "OPTIONS" if !own.is_empty() => self.part(own),
                    _ => {}
                }
                if title == "EXAMPLES" {
                    self.verbatim(section.dedented());
                } else {
                    self.items(section);
                }
            }
        }
        notes
    }

    fn items(&mut self, section: &Section) {
        let (mut in_item, mut begun) = (false, false);
        for item in section.items() {
            match item {
                Item::Term(term) => {
                    self.item(term);
                    in_item = true;
                }
                Item::Text(text) => {
                    if !in_item && !begun {
                        self.paragraph();
                    }
                    self.text(text);
                }
                Item::Break if in_item => self.further(),
                Item::Break => self.paragraph(),
                Item::End => {
                    self.paragraph();
                    in_item = false;
                }
            }
            begun = true;
        }
    }

    /// Configuration files and units of the package.
    fn files(&mut self, tree: &Tree) {
        let configuration = tree.iter().filter(|(_, entry)| entry.role == Role::Config);
        let configuration = configuration.map(|(path, _)| (path.as_str(), "Configuration."));
        let units = units(tree).map(|path| (path.as_str(), "A unit of the service manager."));
        let files: Vec<(&str, &str)> = configuration.chain(units).collect();
        if files.is_empty() {
            return;
        }
        self.section("FILES");
        for (path, meaning) in files {
            self.item(path);
            self.text(meaning);
        }
    }

    fn see_also(&mut self, facts: &Facts<'_>, tree: &Tree) {
        let has_units = units(tree).next().is_some();
        let homepage = facts.settings.project.homepage.as_deref();
        if !has_units && homepage.is_none() {
            return;
        }
        self.section("SEE ALSO");
        if has_units {
            self.reference("systemctl", "1");
        }
        if let Some(homepage) = homepage {
            self.paragraph();
            self.text(homepage);
        }
    }
}

fn units(tree: &Tree) -> impl Iterator<Item = &InstallPath> {
    let places = ["/usr/lib/systemd/system/", "/usr/lib/systemd/user/"];
    let is_unit = move |path: &InstallPath| {
        places.iter().any(|place| path.as_str().strip_prefix(place).is_some_and(|name| !name.contains('/')))
    };
    tree.iter().map(|(path, _)| path).filter(move |path| is_unit(path))
}

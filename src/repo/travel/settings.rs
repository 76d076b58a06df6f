//! What an administrator says of a suite.

use serde::Serialize;

use super::super::error::RepoError;
use super::super::layout::{self, Repository};
use super::super::options::SuiteOptions;
use super::super::root::Root;
use super::super::suite::{Kind, Suite};
use super::actor::Actor;
use super::{names, rings};

/// New options. What is `None` stays; of what can be absent `Some(None)` makes it so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// See [`SuiteOptions::origin`].
    pub origin: Option<String>,
    /// See [`SuiteOptions::label`].
    pub label: Option<String>,
    /// See [`SuiteOptions::suite`].
    pub suite: Option<String>,
    /// See [`SuiteOptions::codename`].
    pub codename: Option<String>,
    /// See [`SuiteOptions::version`].
    pub version: Option<String>,
    /// See [`SuiteOptions::description`].
    pub description: Option<String>,
    /// Architectures to be added to [`SuiteOptions::architectures`].
    pub architectures: Vec<String>,
    /// See [`SuiteOptions::not_automatic`].
    pub not_automatic: Option<bool>,
    /// See [`SuiteOptions::but_automatic_upgrades`].
    pub but_automatic_upgrades: Option<bool>,
    /// See [`SuiteOptions::valid_for`].
    pub valid_for: Option<Option<u64>>,
    /// See [`SuiteOptions::contents`].
    pub contents: Option<bool>,
    /// See [`SuiteOptions::keep_versions`].
    pub keep_versions: Option<Option<u32>>,
    /// See [`SuiteOptions::keep_days`].
    pub keep_days: Option<Option<u32>>,
    /// See [`SuiteOptions::frozen`].
    pub frozen: Option<bool>,
    /// See [`SuiteOptions::snapshots`].
    pub snapshots: Option<String>,
    /// See [`SuiteOptions::ring`].
    pub ring: Option<Option<String>>,
}

/// What was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WasSet {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// Its generation then.
    pub generation: u64,
    /// All its options.
    pub options: SuiteOptions,
    /// Whether they are others than before.
    pub changed: bool,
}

/// Changes the options of a suite. `apt/NAME` and `yum/NAME` name one that may be new. Where clients see the difference,
/// the suite gets a new generation.
pub fn set(
    repository: &Repository,
    name: &str,
    settings: &Settings,
    force: bool,
    actor: &Actor<'_>,
) -> Result<WasSet, RepoError> {
    actor.alone(repository, |writer| {
        let suite = match names::split(name) {
            (Some(kind), name) => {
                layout::check_suite(name)?;
                Suite::of(kind, name)
            }
            (None, _) => names::suite(&writer.repository, name)?,
        };
        let old = writer.repository.options(&suite);
        let new = settings.applied(&old);
        let mut change = writer.change(&suite)?;
        check(&writer.repository, &suite, &old, &new, &change.base, force)?;
        let known = writer.repository.configuration().of(suite.kind).contains_key(&suite.name);
        let changed = new != old || !known;
        let mut generation = change.base.number;
        if changed && actor.signer.is_some() {
            writer.repository.set_options(&suite, new.clone());
            writer.repository.save(&writer.store)?;
            let failed = || RepoError::io("the repository could not be written");
            for (name, text) in rings::snippets(&writer.repository)? {
                writer.store.write(&name, text.as_bytes()).map_err(failed())?;
            }
            writer.store.barrier().map_err(failed())?;
            if generation > 0 && visible(&new) != visible(&old) {
                change.renew = true;
                change.note = "set options".to_owned();
                generation = actor.commit(writer, change)?.number;
            }
        }
        Ok(WasSet { suite, generation, options: new, changed })
    })
}

/// What clients can see.
fn visible(options: &SuiteOptions) -> SuiteOptions {
    let mut options = options.clone();
    options.keep_versions = None;
    options.keep_days = None;
    options.frozen = false;
    options.ring = None;
    options.schedules.clear();
    options
}

impl Settings {
    fn applied(&self, old: &SuiteOptions) -> SuiteOptions {
        let or = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
        let mut options = old.clone();
        options.origin = or(&self.origin, &old.origin);
        options.label = or(&self.label, &old.label);
        options.suite = or(&self.suite, &old.suite);
        options.codename = or(&self.codename, &old.codename);
        options.version = or(&self.version, &old.version);
        options.description = or(&self.description, &old.description);
        options.snapshots = or(&self.snapshots, &old.snapshots);
        options.architectures.extend(self.architectures.iter().cloned());
        options.not_automatic = self.not_automatic.unwrap_or(old.not_automatic);
        options.but_automatic_upgrades = self.but_automatic_upgrades.unwrap_or(old.but_automatic_upgrades);
        options.valid_for = self.valid_for.unwrap_or(old.valid_for);
        options.contents = self.contents.unwrap_or(old.contents);
        options.keep_versions = self.keep_versions.unwrap_or(old.keep_versions);
        options.keep_days = self.keep_days.unwrap_or(old.keep_days);
        options.frozen = self.frozen.unwrap_or(old.frozen);
        options.ring = self.ring.clone().unwrap_or_else(|| old.ring.clone());
        options
    }
}

/// Refuses what clients would refuse.
fn check(
    repository: &Repository,
    suite: &Suite,
    old: &SuiteOptions,
    new: &SuiteOptions,
    root: &Root,
    force: bool,
) -> Result<(), RepoError> {
    let texts = [&new.origin, &new.label, &new.suite, &new.codename, &new.version, &new.description, &new.snapshots];
    for text in texts.into_iter().flatten().filter(|text| !text.is_empty()) {
        layout::check_line(text, "a field of a Release file")?;
    }
    if new.snapshots.as_ref().is_some_and(|url| !url.is_empty() && !url.contains("@SNAPSHOTID@")) {
        return Err(RepoError::InvalidWord {
            text: new.snapshots.clone().unwrap_or_default(),
            what: "the place of snapshots",
            rule: "it must be a URL with `@SNAPSHOTID@` in it, or empty",
        });
    }
    if new.but_automatic_upgrades && !new.not_automatic {
        return Err(RepoError::InvalidWord {
            text: "but-automatic-upgrades".to_owned(),
            what: "an option of this suite",
            rule: "it says something only of a suite that is not automatic",
        });
    }
    if let Some(ring) = new.ring.as_deref().filter(|ring| old.ring.as_deref() != Some(*ring)) {
        rings::check(repository, suite, ring)?;
    }
    if suite.kind == Kind::Yum && visible(new) != visible(old) {
        return Err(RepoError::Unknown {
            what: format!("{suite} cannot have these options: they are fields of apt's Release file"),
            hint: "a yum suite has --keep-versions, --keep-days, --frozen and --ring".to_owned(),
            code: &crate::diagnostic::codes::INVALID_ARGUMENT,
        });
    }
    if root.number == 0 || force {
        return Ok(());
    }
    let configuration = repository.configuration();
    let effective = |options: &SuiteOptions| {
        let or = |own: &Option<String>, usual: &str| own.clone().unwrap_or_else(|| usual.to_owned());
        [
            ("Origin", or(&options.origin, &configuration.origin)),
            ("Label", or(&options.label, &configuration.label)),
            ("Codename", or(&options.codename, &suite.name)),
            ("NotAutomatic", options.not_automatic.to_string()),
            ("ButAutomaticUpgrades", options.but_automatic_upgrades.to_string()),
        ]
    };
    let (before, after) = (effective(old), effective(new));
    let differing = before.iter().zip(&after).filter(|(before, after)| before != after);
    let differing: Vec<String> =
        differing.map(|((name, before), (_, after))| format!("{name}: {before} → {after}")).collect();
    match differing.is_empty() {
        true => Ok(()),
        false => Err(RepoError::refused_change(
            format!("clients of {suite} would refuse every update until their administrators agree"),
            differing,
            "with `--force` it is done all the same; each machine then needs `apt-get update --allow-releaseinfo-change`"
                .to_owned(),
        )),
    }
}

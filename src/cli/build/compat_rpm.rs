//! cargo-generate-rpm's switches, with the meaning that they have there. What lays something over the table keeps its place
//! among the others: the last one speaks.

use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use crate::cli::session::{Session, problem, usage};
use crate::cli::{Failure, build};
use crate::config::dialect::Overlay;
use crate::config::{closest, read_text};
use crate::diagnostic::codes;
use crate::target::{Architecture, Compression, Format, Target};

/// Under which help lists them.
const HEADING: &str = "Options of cargo-generate-rpm";

/// The switches.
#[derive(Debug, Clone, Default)]
pub(super) struct CompatRpm {
    /// In the order of the command line.
    layers: Vec<Layer>,
    switches: Switches,
}

/// Something to be laid over a table, before files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Layer {
    Text(String),
    File(String),
    Variant(String),
}

/// How a switch's text becomes a layer.
type Kind = fn(String) -> Layer;

/// What has no order.
#[derive(Debug, Clone, Default, Args)]
struct Switches {
    /// The architecture that is built for, by rpm's name or Debian's (here, part of a target: el9/aarch64).
    #[arg(short, long, value_name = "ARCH", help_heading = HEADING)]
    arch: Option<String>,
    /// Whether packages depend on the libraries that their programs need: auto, or no.
    #[arg(long, value_name = "MODE", help_heading = HEADING)]
    auto_req: Option<String>,
    /// The compressor of RPM packages.
    #[arg(long, value_name = "NAME", help_heading = HEADING, conflicts_with = "compression")]
    payload_compress: Option<PayloadCompression>,
    /// The time of everything in a package, in seconds since 1970; wins over SOURCE_DATE_EPOCH.
    #[arg(long, value_name = "SECONDS", help_heading = HEADING)]
    source_date: Option<u32>,
    /// Packages are signed on publishing: packhouse publish --key.
    #[arg(long, value_name = "FILE", help_heading = HEADING, hide = true)]
    signing_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PayloadCompression {
    None,
    Gzip,
    Zstd,
    Xz,
}

impl Args for CompatRpm {
    fn augment_args(command: Command) -> Command {
        let switch = |id: &'static str, long: &'static str, value: &'static str, help: &'static str| {
            Arg::new(id).long(long).value_name(value).help(help).help_heading(HEADING).action(ArgAction::Append)
        };
        let text =
            switch("set_metadata", "set-metadata", "TOML", "Keys laid over [package.metadata.generate-rpm], as TOML")
                .short('s');
        let file = switch(
            "metadata_overwrite",
            "metadata-overwrite",
            "FILE[#TABLE]",
            "A TOML file, or a table of it, laid over [package.metadata.generate-rpm]",
        );
        let variant =
            switch("variant", "variant", "NAME", "The variant of the table in Cargo.toml, of cargo-deb's as well");
        let command = command.arg(text).arg(file.value_delimiter(',')).arg(variant.value_delimiter(','));
        Switches::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CompatRpm {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let kinds: [(&str, Kind); 3] =
            [("set_metadata", Layer::Text), ("metadata_overwrite", Layer::File), ("variant", Layer::Variant)];
        let mut layers = Vec::new();
        for (id, kind) in kinds {
            let values = matches.get_many::<String>(id).into_iter().flatten().cloned().map(kind);
            layers.extend(matches.indices_of(id).into_iter().flatten().zip(values));
        }
        layers.sort_by_key(|(place, _)| *place);
        let layers = layers.into_iter().map(|(_, layer)| layer).collect();
        Ok(Self { layers, switches: Switches::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl CompatRpm {
    /// What is laid over the tables, with the files read.
    pub(super) fn overlays(&self, session: &Session) -> Result<Vec<Overlay>, Failure> {
        let overlay = |layer: &Layer| {
            Ok(match layer {
                Layer::Text(text) => Overlay::Text(text.clone()),
                Layer::Variant(name) => Overlay::Variant(name.clone()),
                Layer::File(named) => {
                    let (file, table) =
                        named.split_once('#').map_or((named.as_str(), None), |(file, table)| (file, Some(table)));
                    let path = PathBuf::from(file);
                    let text = read_text(&session.path(&path)?);
                    let text = text.map_err(|error| usage(format!("--metadata-overwrite: {error}")))?;
                    Overlay::File { path, text, table: table.map(str::to_owned) }
                }
            })
        };
        self.layers.iter().map(overlay).collect()
    }

    /// `--auto-req`; `None` leaves it to the table.
    pub(super) fn auto_req(&self) -> Result<Option<bool>, Failure> {
        match self.switches.auto_req.as_deref() {
            None | Some("auto") => Ok(None),
            Some("no" | "disabled") => Ok(Some(false)),
            // Both find what rpmbuild finds, and so does packhouse.
            Some("builtin" | "find-requires") => Ok(Some(true)),
            Some(other) => {
                let near = closest(other, ["auto", "no", "disabled", "builtin", "find-requires"]);
                let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                let hint = format!(
                    "{near}write `--auto-req auto` to have it find that out, or `--auto-req no` and list it in `requires`"
                );
                let message =
                    format!("--auto-req {other}: packhouse asks no program of the machine what a package needs");
                Err(problem(&codes::INVALID_ARGUMENT, message, hint))
            }
        }
    }

    /// What was asked for and is done elsewhere; and the time, which counts for the whole process.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        if let Some(key) = &self.switches.signing_key {
            let hint = format!("publish them with `packhouse publish … --key {}`", key.display());
            let message = "--signing-key: packages are signed when they are published";
            return Err(problem(&codes::INVALID_ARGUMENT, message, hint));
        }
        if let Some(seconds) = self.switches.source_date {
            crate::variables::set_source_date_epoch(seconds);
        }
        Ok(())
    }

    /// The targets with what was asked for.
    pub(super) fn targets(&self, targets: Vec<Target>) -> Result<Vec<Target>, Failure> {
        let targets = match self.switches.arch.as_deref() {
            None => targets,
            Some(name) => {
                let architecture = architecture(name)?;
                targets.into_iter().map(|target| Target { architecture, ..target }).collect()
            }
        };
        let compression = match self.switches.payload_compress {
            None => return Ok(targets),
            Some(PayloadCompression::Gzip) => Compression::Gzip,
            Some(PayloadCompression::Zstd) => Compression::Zstd,
            Some(PayloadCompression::Xz) => Compression::Xz,
            Some(PayloadCompression::None) => {
                return Err(problem(
                    &codes::INVALID_ARGUMENT,
                    "--payload-compress none: every package is compressed",
                    "`--effort fast` takes the least time",
                ));
            }
        };
        let (rpms, others): (Vec<Target>, Vec<Target>) =
            targets.into_iter().partition(|target| target.format() == Format::Rpm);
        Ok(build::compressed_with(rpms, compression)?.into_iter().chain(others).collect())
    }
}

/// The architecture of this name, in either format's spelling.
fn architecture(name: &str) -> Result<Architecture, Failure> {
    let all = Architecture::ALL;
    let found = all.into_iter().find(|one| [Format::Deb, Format::Rpm].iter().any(|format| one.name(*format) == name));
    found.ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| one.name(Format::Rpm)).collect();
        let hint = match (name, closest(name, known.iter().copied())) {
            ("noarch" | "all", _) => "leave it out: a package without programs is marked so by itself".to_owned(),
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (_, None) => format!("packages are built for {}", known.join(", ")),
        };
        problem(&codes::UNKNOWN_TARGET, format!("--arch {name} is no architecture"), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str]) -> CompatRpm {
        let command = CompatRpm::augment_args(Command::new("x").no_binary_name(true))
            .arg(Arg::new("compression").long("compression"));
        CompatRpm::from_arg_matches(&command.get_matches_from(arguments)).expect("good arguments")
    }

    #[test]
    fn what_is_laid_over_the_table_keeps_its_order() {
        let parsed = of(&[
            "--metadata-overwrite",
            "a.toml",
            "-s",
            "release = 1",
            "--variant",
            "one,two",
            "--metadata-overwrite",
            "b.toml#x.y,c.toml",
            "--set-metadata=vendor = \"A, B\"",
        ]);
        let file = |name: &str| Layer::File(name.to_owned());
        let variant = |name: &str| Layer::Variant(name.to_owned());
        let text = |text: &str| Layer::Text(text.to_owned());
        assert_eq!(
            parsed.layers,
            [
                file("a.toml"),
                text("release = 1"),
                variant("one"),
                variant("two"),
                file("b.toml#x.y"),
                file("c.toml"),
                text("vendor = \"A, B\"")
            ]
        );
    }

    #[test]
    fn switches_that_mean_nothing_here_say_what_to_write() {
        for (arguments, part) in [
            (["--signing-key", "x.asc"], "publish … --key x.asc"),
            (["--payload-compress", "none"], "--effort fast"),
            (["--arch", "noarch"], "by itself"),
            (["--arch", "m68k"], "x86_64"),
            (["--auto-req", "/usr/bin/find"], "--auto-req auto"),
        ] {
            let parsed = of(&arguments);
            let result = parsed.settle().and_then(|()| parsed.auto_req()).and_then(|_| parsed.targets(Vec::new()));
            let error = result.expect_err("an error");
            let said = format!("{error}: {}", error.hints().join("; "));
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
        assert_eq!(of(&["--auto-req", "disabled"]).auto_req().ok(), Some(Some(false)));
        assert_eq!(of(&["--auto-req", "auto"]).auto_req().ok(), Some(None));
    }
}

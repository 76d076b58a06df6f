//! Man pages and completions of a service's commands.
//!
//! Only what is named here is installed: a directory `man/` may hold pages of something else, or their sources.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::reader::Reader;
use super::value;

/// `man` and `completions` of `[services.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSettings {
    /// Man pages: paths in the service's directory, whose file names may have `*` and `?`.
    pub man: Vec<PathBuf>,
    /// Completions.
    pub completions: Vec<Completion>,
}

super::layer::layer!(PageSettings { man, completions });

/// A shell that completes command lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash-completion.
    Bash,
    /// fish.
    Fish,
    /// zsh's compsys.
    Zsh,
}

/// A file with the completions of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The path in the service's directory.
    pub file: PathBuf,
    /// For which shell.
    pub shell: Shell,
    /// The command.
    pub command: String,
}

const MAN: &str = "a page is named after what it describes and its section: `acme-api.1`, `acme.conf.5`";
const COMPLETION: &str = "name it `NAME.bash`, `NAME.fish` or `_NAME` (zsh), NAME being the command";

/// What `[services.NAME]` says of them.
pub(super) fn pages(table: &Reader<'_>) -> Result<PageSettings, Error> {
    let man = table.strings("man")?.unwrap_or_default().into_iter().map(|text| text.parse(man, MAN));
    let completions = table.strings("completions")?.unwrap_or_default();
    let completions = completions.into_iter().map(|text| text.parse(completion, COMPLETION));
    Ok(PageSettings { man: man.collect::<Result<_, _>>()?, completions: completions.collect::<Result<_, _>>()? })
}

/// A page's name and section, from the name of its file: `acme.conf` and `5` of `acme.conf.5` or `acme.conf.5.gz`.
pub(crate) fn page_name(file: &str) -> Result<(&str, &str), value::Rule> {
    let bare = file.strip_suffix(".gz").unwrap_or(file);
    let none = || format!("`{file}` is not the name of a man page");
    let (name, section) = bare.rsplit_once('.').ok_or_else(none)?;
    let numbered = section.starts_with(|digit: char| ('1'..='8').contains(&digit));
    if !numbered || section.len() > 8 || !section.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return Err(none());
    }
    value::command(name).map_err(|_| none())?;
    Ok((name, section))
}

fn man(text: &str) -> Result<PathBuf, value::Rule> {
    let path = value::file_path(text)?;
    let wild = |text: &str| text.contains(['*', '?']);
    if path.parent().is_some_and(|parent| wild(&parent.to_string_lossy())) {
        return Err(format!("`{text}` has a wildcard in a directory's name; only the file's name may have one"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if text.contains(['[', ']', '{', '}']) {
        return Err(format!("`{text}` has brackets: `*` and `?` are the only wildcards"));
    }
    if !wild(&name) {
        page_name(&name)?;
    }
    Ok(path)
}

fn completion(text: &str) -> Result<Completion, value::Rule> {
    let file = value::file_path(text)?;
    let (shell, command) =
        shell_and_command(&file).ok_or_else(|| format!("the name of `{text}` does not tell for which shell it is"))?;
    value::command(&command)?;
    Ok(Completion { file, shell, command })
}

/// By the name of the file, as the shells' own packages name them.
fn shell_and_command(file: &Path) -> Option<(Shell, String)> {
    let name = file.file_name()?.to_str()?;
    let (shell, command) = if let Some(command) = name.strip_suffix(".bash") {
        (Shell::Bash, command)
    } else if let Some(command) = name.strip_suffix(".fish") {
        (Shell::Fish, command)
    } else if let Some(command) = name.strip_suffix(".zsh") {
        (Shell::Zsh, command.strip_prefix('_').unwrap_or(command))
    } else if let Some(command) = name.strip_prefix('_').filter(|command| !command.contains('.')) {
        (Shell::Zsh, command)
    } else {
        return None;
    };
    (!command.is_empty()).then(|| (shell, command.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_file_name() {
        assert_eq!(page_name("acme-api.1"), Ok(("acme-api", "1")));
        assert_eq!(page_name("acme.conf.5.gz"), Ok(("acme.conf", "5")));
        assert_eq!(page_name("acme.3py"), Ok(("acme", "3py")));
        for bad in ["acme", "acme.md", "acme.9", "acme.0", ".1", "a b.1", "acme.1.bz2", "-x.1", "acme.1PY"] {
            assert!(page_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn wildcards_stand_in_the_files_name_only() {
        assert!(man("man/*.5").is_ok());
        assert!(man("man/acme-?.1").is_ok());
        for bad in ["*/acme.1", "man/acme.[15]", "../acme.1", "/acme.1", "man/README"] {
            assert!(man(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_shell_is_told_by_the_name_of_the_file() {
        let told = |text: &str| completion(text).map(|one| (one.shell, one.command));
        assert_eq!(told("completions/acme-api.bash"), Ok((Shell::Bash, "acme-api".to_owned())));
        assert_eq!(told("completions/acme-api.fish"), Ok((Shell::Fish, "acme-api".to_owned())));
        for zsh in ["completions/_acme-api", "_acme-api.zsh", "acme-api.zsh"] {
            assert_eq!(told(zsh), Ok((Shell::Zsh, "acme-api".to_owned())), "{zsh}");
        }
        for unclear in ["completions/acme-api", "completions/acme-api.sh", "_", ".bash", "_a.b"] {
            assert!(told(unclear).is_err(), "{unclear}");
        }
    }
}

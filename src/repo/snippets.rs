//! What a client needs to use the repository: a `.sources` file for apt (sources.list(5), deb822 style) and a `.repo`
//! file for dnf and zypper (dnf.conf(5)). Both name the key, so that nothing else on the machine gets to trust it.

use minijinja::{Environment, context};

use super::error::RepoError;
use super::layout::Repository;
use super::root::Root;
use super::suite::Kind;
use crate::package::template::shell;

const SOURCES: &str = include_str!("../../templates/repository/client.sources");
const REPO: &str = include_str!("../../templates/repository/client.repo");
const RINGS: &str = include_str!("../../templates/repository/client-ring.repo");

/// A repository's origin as part of file names and repository identifiers: lower-case letters, digits, `-`.
pub(super) fn slug(origin: &str) -> String {
    let mut slug = String::with_capacity(origin.len());
    for character in origin.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The file that clients of a suite need: its name in the repository and its text.
pub(super) fn snippet(repository: &Repository, root: &Root) -> Result<(String, String), RepoError> {
    match root.suite.kind {
        Kind::Apt => sources(repository, root),
        Kind::Yum => repo(repository, &root.suite.name),
    }
}

/// The `.sources` file of one suite: its name in the repository and its text.
fn sources(repository: &Repository, root: &Root) -> Result<(String, String), RepoError> {
    let suite = &root.suite.name;
    let configuration = repository.configuration();
    let slug = slug(&configuration.origin);
    let base = base(repository);
    let key = match &configuration.url {
        Some(url) if !url.starts_with("file:") => format!("/etc/apt/keyrings/{slug}.gpg"),
        _ => repository.root().join("key.gpg").to_string_lossy().into_owned(),
    };
    let name = format!("{slug}-{suite}.sources");
    let components = root.components().join(" ");
    let sources = root.cells.keys().any(|cell| cell.architecture == "source");
    let local = base.starts_with("file:");
    let text = render(SOURCES, context! { name => &name, slug, suite, base, key, components, local, sources })?;
    Ok((name, text))
}

/// The `.repo` file of one suite: its name in the repository and its text.
fn repo(repository: &Repository, suite: &str) -> Result<(String, String), RepoError> {
    let configuration = repository.configuration();
    let slug = slug(&configuration.origin);
    let base = base(repository);
    let name = format!("{slug}-{suite}.repo");
    let local = base.starts_with("file:");
    let text = render(REPO, context! { name => &name, slug, suite, base, local, title => &configuration.label })?;
    Ok((name, text))
}

/// The `.repo` file of a group of rings: its name in the repository and its text.
pub(super) fn rings(repository: &Repository, group: &str, rings: &[&str]) -> Result<(String, String), RepoError> {
    let configuration = repository.configuration();
    let slug = slug(&configuration.origin);
    let base = base(repository);
    let name = format!("{slug}-{group}.repo");
    let local = base.starts_with("file:");
    let (first, rings) = (rings.first().copied().unwrap_or_default(), rings.join(", "));
    let title = &configuration.label;
    Ok((name.clone(), render(RINGS, context! { name, slug, group, base, local, title, rings, first })?))
}

/// What is typed on a machine that is to use a suite: the name of each client, and lines for a shell.
pub(super) fn commands(repository: &Repository, root: &Root) -> Result<Vec<(&'static str, String)>, RepoError> {
    let (name, text) = snippet(repository, root)?;
    let text: String = text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let place = |directory: &str| format!("sudo tee {directory}/{name} >/dev/null <<'EOF'\n{text}EOF\n");
    if root.suite.kind == Kind::Yum {
        return Ok(vec![
            ("dnf", place("/etc/yum.repos.d") + "sudo dnf makecache"),
            ("zypper", place("/etc/zypp/repos.d") + "sudo zypper refresh"),
        ]);
    }
    let (base, mut commands) = (base(repository), String::new());
    if !base.starts_with("file:") {
        let key = shell(&format!("/etc/apt/keyrings/{}.gpg", slug(&repository.configuration().origin)));
        let url = shell(&format!("{base}/key.gpg"));
        commands.push_str(&format!("sudo install -d -m 0755 /etc/apt/keyrings\nsudo curl -fsSL -o {key} {url}\n"));
    }
    commands.push_str(&place("/etc/apt/sources.list.d"));
    commands.push_str("sudo apt-get update");
    Ok(vec![("apt", commands)])
}

/// The command that shows the fingerprint of the repository's key.
pub(super) fn fingerprint_command(repository: &Repository) -> String {
    let show = "gpg --show-keys --with-fingerprint";
    match &repository.configuration().url {
        Some(url) if !url.starts_with("file:") => format!("curl -fsSL {} | {show}", shell(&format!("{url}/key.asc"))),
        _ => format!("{show} {}", shell(&repository.root().join("key.asc").to_string_lossy())),
    }
}

/// The URL of the repository's directory, without a slash at its end.
fn base(repository: &Repository) -> String {
    let local = || {
        url::Url::from_directory_path(repository.root())
            .map(|url| url.as_str().trim_end_matches('/').to_owned())
            .unwrap_or_else(|()| format!("file://{}", repository.root().display()))
    };
    repository.configuration().url.clone().unwrap_or_else(local)
}

fn render(template: &str, values: minijinja::Value) -> Result<String, RepoError> {
    Environment::new()
        .render_str(template, values)
        .map(|text| text.trim_end().to_owned() + "\n")
        .map_err(|error| RepoError::BadState { path: "templates/repository".into(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn an_origin_becomes_a_word_that_file_names_take() {
        assert_eq!(slug("Acme Cloud, Inc."), "acme-cloud-inc");
        assert_eq!(slug("../x"), "x");
        assert_eq!(slug("…"), "");
    }
}

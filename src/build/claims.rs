//! Which package of a build installs which path outside its service's own tree.
//!
//! The settings tell most conflicts before anything is built (`package::check_shared_paths`); what commands a service has,
//! and so their links and man pages, is known for sure only when it has been staged.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::name::{OrgName, PackageName};
use crate::package::{Error, Package};
use crate::tree::{InstallPath, Node, Tree};

/// By target and path, the package.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<BTreeMap<(String, InstallPath), String>>);

impl Claims {
    /// Notes that `package` for `target` has `paths`; an error when another one for the same target has one of them.
    pub(super) fn add(&self, package: &str, target: &str, paths: &[InstallPath]) -> Result<(), Error> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            let before = claims.insert((target.to_owned(), path.clone()), package.to_owned());
            if let Some(other) = before.filter(|other| other != package) {
                // Whichever of the two was made first, the message is the same.
                let mut names = [other, package.to_owned()];
                names.sort();
                let [first, second] = names;
                return Err(Error::SharedPath { path: path.to_string(), first, second });
            }
        }
        Ok(())
    }
}

/// The paths of `package`, which `service` has become, that no other one may have.
pub(super) fn of(package: &Package, org: &OrgName, service: &PackageName) -> Vec<InstallPath> {
    outside(&package.tree, &format!("/usr/lib/{org}/{service}/"))
}

fn outside(tree: &Tree, own: &str) -> Vec<InstallPath> {
    // Two packages may have one directory.
    let paths = tree.iter().filter(|(_, entry)| !matches!(entry.node, Node::Directory)).map(|(path, _)| path);
    paths.filter(|path| !path.as_str().starts_with(own)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Content, Entry};

    fn tree(files: &[&str]) -> Tree {
        let mut tree = Tree::new();
        let path = |text: &str| InstallPath::parse(text).expect("a path");
        for file in files {
            tree.file(path(file), Content::bytes(&b""[..]), 0o644).expect("free");
        }
        tree.insert(path("/var/lib/acme"), Entry::root(Node::Directory, 0o755)).expect("free");
        tree
    }

    #[test]
    fn one_command_of_two_services_is_an_error_whichever_was_built_first() {
        let (api, web) = (
            tree(&["/usr/bin/acme-tool", "/usr/lib/acme/acme-api/bin/acme-tool"]),
            tree(&["/usr/bin/acme-tool", "/usr/bin/acme-web"]),
        );
        let claims = |first: (&str, &Tree), second: (&str, &Tree), targets: [&str; 2]| {
            let claims = Claims::default();
            let own = "/usr/lib/acme/acme-api/";
            claims.add(first.0, targets[0], &outside(first.1, own)).expect("the first");
            claims.add(second.0, targets[1], &outside(second.1, own)).map_err(|error| error.to_string())
        };
        let both = ["debian-12/amd64"; 2];
        let expected = "acme-api and acme-web would both install /usr/bin/acme-tool";
        for result in
            [claims(("acme-api", &api), ("acme-web", &web), both), claims(("acme-web", &web), ("acme-api", &api), both)]
        {
            assert!(result.expect_err("one path").starts_with(expected));
        }
        assert_eq!(claims(("acme-api", &api), ("acme-web", &web), ["debian-12/amd64", "debian-13/amd64"]), Ok(()));
        assert_eq!(claims(("acme-api", &api), ("acme-web", &tree(&["/usr/bin/acme-web"])), both), Ok(()));
    }
}

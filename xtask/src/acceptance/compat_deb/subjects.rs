//! What is packaged by both: cargo-deb itself, and public crates with a table for it.

use super::forms;
use crate::acceptance::crates::Crate;

/// One crate, and how it is prepared.
pub(super) struct Subject {
    pub(super) krate: Crate,
    /// Where in its repository the crate lies; its table may name files beside it.
    pub(super) directory: &'static str,
    pub(super) variant: Option<&'static str>,
    /// Further switches, the same for both.
    pub(super) arguments: &'static [&'static str],
    /// The files of a repository of our own, when it is not fetched.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// What cargo-deb refuses in the manifest, and what it gets in its place; packhouse gets the manifest as it is.
    pub(super) mended: &'static [(&'static str, &'static str)],
}

impl Subject {
    /// The crate with its variant.
    pub(super) fn label(&self) -> String {
        let variant = self.variant.map(|variant| format!("-{variant}")).unwrap_or_default();
        format!("{}-{}{variant}", self.krate.name, self.krate.version)
    }
}

const fn of(name: &'static str, version: &'static str, sha256: &'static str) -> Subject {
    let krate = Crate { name, version, sha256 };
    Subject { krate, directory: "", variant: None, arguments: &[], files: &[], mended: &[] }
}

/// routinator's key for another tool of the family, which cargo-deb does not know.
const USR_MERGE: (&str, &str) = ("usr-merge = false\n", "");

const FORMS: Subject = Subject { directory: "crates/forms", files: forms::FILES, ..of("forms", "1.2.0", "") };

/// In the order in which they are packaged.
pub(super) const SUBJECTS: &[Subject] = &[
    FORMS,
    Subject { variant: Some("other"), ..FORMS },
    of("cargo-deb", "3.8.0", "201780f7056812fe4d8078b2772c1a222c56fa924cd2aafa1aaf74ff2777e188"),
    of("ripgrep", "15.2.0", "a30750b6d0743bfdd2656ebbaf4555aa278c43144b84bc389bcbfa399485ec71"),
    of("bottom", "0.15.0", "f9bbec11a8e1f1780e16594bf1fe074008de5b25e32cae7de4bd5a40d304b923"),
    of("zoxide", "0.10.0", "88592ccf9081e6a3f915f785357c1a70c05c52ce0637afb5f9b67161eefc050c"),
    of("zellij", "0.45.1", "1b94f6ee863a08e2cea2e66b79fa960d32e5b0049362e0f5aeef2088a5f88d82"),
    of("atuin", "18.24.4", "972bd5be38bdb05a1cb7c8c81a684545f2f047655ff5a84a335b98b5d3e9ec3e"),
    of("du-dust", "1.2.7", "f03ee50cf880da85dce8d1bc8e005c906498fb4754512998823f6ef9ae7d997c"),
    of("topgrade", "17.14.1", "4c4f1dbac325356d70d167e5917873e85f24d8a4f0c78221eb166071bf2d983e"),
    of("sniffnet", "1.5.1", "164e3163b0529dda8f9e79f81530b985d977ff87c0b4e4e65ffbc40b49ca4a29"),
    Subject {
        variant: Some("debian-bookworm"),
        ..of("krill", "0.16.1", "8058d1dacd5827d0ded08befb52ecdbec692834fa2fe23ffdbcc18c0a0f5675b")
    },
    Subject {
        mended: &[USR_MERGE],
        ..of("routinator", "0.16.0-rc1", "263ca4dec2d82f59b384cce714b9691956b1cff1cbea8417acc8aa8c7ca565fa")
    },
    Subject {
        mended: &[USR_MERGE],
        variant: Some("debian-trixie"),
        ..of("routinator", "0.16.0-rc1", "263ca4dec2d82f59b384cce714b9691956b1cff1cbea8417acc8aa8c7ca565fa")
    },
    Subject {
        mended: &[("build-depends = \"pkg-config, libzmq3-dev\"\n", "")],
        ..of("condure", "1.10.0", "55bf54d491940e59f4c25ac4a1d3e548be75e6ae9b361de7be74ba25e6706909")
    },
    Subject {
        directory: "client",
        ..of("innernet", "2.0.0", "71267bf911257a64a02794a23a1d26093182193cec8440b890d80c715495c8ae")
    },
    Subject {
        directory: "crates/cli",
        ..of("watchexec-cli", "1.20.5", "04a555db069718fb21fa1c450933917eb2318ae2c631b0c31c47c9fc639946ed")
    },
];

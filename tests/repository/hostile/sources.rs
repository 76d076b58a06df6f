//! Source packages of Debian.

use packhouse::digest::{Digests, Sha256};
use packhouse::repo::RepoError;

use crate::support::Bench;

const TARBALL: &[u8] = b"not really a tarball";

fn dsc(name: &str, content: &[u8]) -> String {
    let Digests { size, sha256, md5 } = Digests::of(content);
    format!(
        "Format: 3.0 (native)\nSource: acme\nBinary: acme\nArchitecture: any\nVersion: 1.0\nMaintainer: Acme <a@acme.example>\n\
         Checksums-Sha256:\n {sha256} {size} {name}\nFiles:\n {md5} {size} {name}\n"
    )
}

fn signed(text: &str) -> String {
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n-----BEGIN PGP SIGNATURE-----\n\nwho=\n-----END PGP SIGNATURE-----\n"
    )
}

#[test]
fn source_packages_that_say_too_much_or_lack_a_file_are_refused() {
    const NAME: &str = "acme_1.0.tar.gz";
    let good = dsc(NAME, TARBALL);
    let mut wrong = Vec::new();
    let cases = [
        ("no file", good.clone(), None, NAME),
        ("another file", good.clone(), Some(b"not really a tarbalL".to_vec()), "not the file that"),
        ("a shorter file", good.clone(), Some(TARBALL[1..].to_vec()), "not the file that"),
        ("a longer file", good.clone(), Some([TARBALL, b"x"].concat()), "not the file that"),
        ("another MD5", good.replace("Files:\n ", "Files:\n 0"), Some(TARBALL.to_vec()), "malformed"),
        ("a way out", dsc("../acme_1.0.tar.gz", TARBALL), Some(TARBALL.to_vec()), "cannot be the name"),
        ("an absolute file", dsc("/etc/passwd", TARBALL), Some(TARBALL.to_vec()), "cannot be the name"),
        ("another's file", dsc("other_1.0.tar.gz", TARBALL), Some(TARBALL.to_vec()), "cannot be the name"),
        ("itself", dsc("acme_1.0.dsc", TARBALL), Some(TARBALL.to_vec()), "cannot be the name"),
        ("a stanza more", format!("{good}\nPackage: evil\n"), Some(TARBALL.to_vec()), "empty line"),
        ("text before", format!("Source: evil\n\n{}", signed(&good)), Some(TARBALL.to_vec()), "before its signature"),
        ("text after", format!("{}Source: evil\n", signed(&good)), Some(TARBALL.to_vec()), "after its signature"),
        (
            "a header of the armor",
            signed(&good).replace("Hash: ", "Source: evil\nHash: "),
            Some(TARBALL.to_vec()),
            "not well-formed",
        ),
        (
            "a field of the index",
            format!("{good}Directory: pool/evil\n"),
            Some(TARBALL.to_vec()),
            "only an index may have",
        ),
        ("no source", good.replace("Source: acme\n", ""), Some(TARBALL.to_vec()), "no field `Source`"),
        (
            "a source that is a path",
            good.replace("Source: acme\n", "Source: ../acme\n"),
            Some(TARBALL.to_vec()),
            "`Source`",
        ),
        ("a version that is a path", good.replace("1.0\n", "1/0\n"), Some(TARBALL.to_vec()), "`Version`"),
        (
            "no digests",
            good.replace("Checksums-Sha256", "Checksums-Sha1"),
            Some(TARBALL.to_vec()),
            "`Checksums-Sha256`",
        ),
    ];
    for (what, text, file, reason) in cases {
        let mut bench = Bench::new();
        let path = bench.path("acme.dsc");
        std::fs::write(&path, text).unwrap();
        if let Some(file) = file {
            std::fs::write(bench.path(NAME), file).unwrap();
        }
        match bench.publish("bookworm", &[&path]) {
            Ok(_) => wrong.push(format!("{what}: it was published")),
            Err(error @ (RepoError::BadPackage { .. } | RepoError::Io { .. }))
                if error.to_string().contains(reason) => {}
            Err(error) => wrong.push(format!("{what}: it should say `{reason}`: {error}")),
        }
        if bench.published("apt").exists() {
            wrong.push(format!("{what}: something was published"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in [good.clone(), signed(&good)] {
        let mut bench = Bench::new();
        let path = bench.path("acme.dsc");
        std::fs::write(&path, text).unwrap();
        std::fs::write(bench.path(NAME), TARBALL).unwrap();
        bench.publish("bookworm", &[&path]).expect("the package that the others are made from is good");
        let pool = bench.published("apt/pool/main/a/acme");
        assert_eq!(Sha256::of(&std::fs::read(pool.join(NAME)).unwrap()), Sha256::of(TARBALL));
        assert!(pool.join("acme_1.0.dsc").is_file());
    }
}

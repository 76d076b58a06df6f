//! Names of packages as names of files and as parts of URLs. A name is what somebody wrote into a package: it must not
//! leave its directory, hide, or meet another one.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::digest::Sha256;

/// What a URL's path may hold as it is (RFC 3986, `unreserved`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest stem; what is longer ends in its digest instead.
const LONGEST: usize = 200;

/// The file name, without its extension, that stands for `name`: the name itself where it is made of what names of
/// packages are made of, `=XX` for every other byte. Different names have different stems.
pub(super) fn stem(name: &str) -> String {
    let mut stem = String::with_capacity(name.len());
    for byte in name.bytes() {
        // A server would take `index.html` for the page of the directory.
        let plain = (!stem.is_empty() || name != "index")
            && (byte.is_ascii_alphanumeric() || b"+-_~^".contains(&byte) || (byte == b'.' && !stem.is_empty()));
        if plain { stem.push(char::from(byte)) } else { stem.push_str(&format!("={byte:02X}")) }
    }
    if stem.len() > LONGEST {
        let digest = Sha256::of(name.as_bytes()).to_string();
        stem.truncate(LONGEST - digest.len() - 2);
        stem = format!("{stem}=={digest}");
    }
    stem
}

/// A file's name in a URL.
pub(super) fn href(file: &str) -> String {
    utf8_percent_encode(file, ESCAPED).to_string()
}

/// A relative path in a URL.
pub(super) fn href_path(path: &str) -> String {
    path.split('/').map(href).collect::<Vec<_>>().join("/")
}

/// The page of a package, relative to the root.
pub(super) fn package_page(name: &str) -> String {
    format!("packages/{}.html", stem(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_file_of_its_own_that_stays_where_it_is_put() {
        let long = ["a".repeat(300), "a".repeat(301), "é".repeat(150)];
        let names = [
            "acme-api",
            "libstdc++6",
            "Acme",
            "acme",
            "a=2E",
            "a.",
            ".a",
            "..",
            "../x",
            "a/b",
            "a\0b",
            "",
            "é",
            "=2Ea",
        ];
        let mut stems: Vec<String> = names.into_iter().map(stem).chain(long.iter().map(|name| stem(name))).collect();
        for stem in &stems {
            assert!(!stem.starts_with('.') && !stem.contains(['/', '\0']) && stem.len() <= LONGEST, "{stem}");
        }
        let count = stems.len();
        stems.sort();
        stems.dedup();
        assert_eq!(stems.len(), count);
        assert_eq!(stem("libstdc++6"), "libstdc++6");
        assert_ne!(stem("index"), "index");
    }

    #[test]
    fn a_url_holds_no_character_with_a_meaning() {
        assert_eq!(href("libstdc++6"), "libstdc%2B%2B6");
        assert_eq!(href_path("apt/pool/a^b/1:2.deb"), "apt/pool/a%5Eb/1%3A2.deb");
        assert_eq!(href("\"><script>"), "%22%3E%3Cscript%3E");
    }
}

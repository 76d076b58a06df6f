//! What a name is found by: each beginning of a word in it.

use super::tree::Entry;

/// How many words of a name are looked at, and how long a summary in a list is.
const WORDS: usize = 8;
const SUMMARY: usize = 120;

/// The one entry of a name in the lists, which are in the order of lower-case letters.
pub(super) fn listed(name: &str, summary: &str) -> Entry {
    Entry { key: name.to_lowercase(), name: name.to_owned(), summary: summary.chars().take(SUMMARY).collect() }
}

/// The entries of a name in the search: `python3-acme-api` under itself, `acme-api` and `api`.
pub(super) fn found(name: &str, summary: &str) -> Vec<Entry> {
    let whole = listed(name, summary);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let bytes = whole.key.as_bytes();
    let begins = bytes.windows(2).enumerate().filter_map(|(at, pair)| match pair {
        [before, first] if !is_letter(before) && is_letter(first) => Some(at + 1),
        _ => None,
    });
    let keys = std::iter::once(0).chain(begins).take(WORDS).filter_map(|at| whole.key.get(at..));
    keys.map(|key| Entry { key: key.to_owned(), ..whole.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_each_of_its_words() {
        let keys = |name: &str| found(name, "").into_iter().map(|entry| entry.key).collect::<Vec<_>>();
        assert_eq!(keys("Python3-acme-API"), ["python3-acme-api", "acme-api", "api"]);
        assert_eq!(keys("libstdc++6"), ["libstdc++6", "6"]);
        assert_eq!(keys("acme"), ["acme"]);
        assert_eq!(keys("a-b-c-d-e-f-g-h-i-j").len(), WORDS);
    }
}

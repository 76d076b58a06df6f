//! "Did you mean …?"

/// The candidate that was probably meant by `text`: the nearest one, if it is near.
pub(crate) fn closest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(text);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&plain, &self::plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(text.len()) / 4)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// Case and separators are what people get wrong most.
fn plain(text: &str) -> String {
    text.to_lowercase().replace(['_', '.', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_suggested_and_a_stranger_is_not() {
        let known = ["maintainer", "members", "targets", "homepage"];
        assert_eq!(closest("maintaner", known), Some("maintainer"));
        assert_eq!(closest("Targets", known), Some("targets"));
        assert_eq!(closest("target", known), Some("targets"));
        assert_eq!(closest("zebra", known), None);
    }
}

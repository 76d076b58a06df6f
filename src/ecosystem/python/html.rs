//! The links of an HTML page.
//!
//! A tokenizer after the HTML standard's (<https://html.spec.whatwg.org/multipage/parsing.html#tokenization>), for the
//! part that an index needs: start tags with their attributes, comments, and the elements whose text is not markup. It
//! builds no tree, looks at each byte once, and has no input that it fails on.

use std::collections::BTreeMap;

/// The most links that are taken from a page; the largest projects have some ten thousand.
const MOST_ANCHORS: usize = 1_000_000;

/// What a page has to say about links.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// `href` of the first `<base>`.
    pub(super) base: Option<String>,
    /// The `<a>` elements that have an `href`.
    pub(super) anchors: Vec<Anchor>,
}

/// An `<a>` element's attributes: names in small letters, values decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Anchor {
    attributes: BTreeMap<String, String>,
}

impl Anchor {
    /// An attribute's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Reads a page.
pub(super) fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        if !rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '/' | '>'));
        let (name, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        let name = if name.len() <= 10 { name.to_ascii_lowercase() } else { String::new() };
        let (attributes, after) = attributes(after, matches!(name.as_str(), "a" | "base"));
        rest = after;
        match name.as_str() {
            "a" if attributes.contains_key("href") && page.anchors.len() < MOST_ANCHORS => {
                page.anchors.push(Anchor { attributes });
            }
            "base" if page.base.is_none() => page.base = attributes.get("href").cloned(),
            "script" | "style" | "title" | "textarea" | "noscript" | "iframe" => rest = after_element(rest, &name),
            _ => {}
        }
    }
    page
}

/// What follows the end tag of an element whose content is text.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        rest = after;
        if after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return after;
        }
    }
    ""
}

/// Reads attributes up to the tag's end; keeps them when `keep`. The first of a name counts.
fn attributes(text: &str, keep: bool) -> (BTreeMap<String, String>, &str) {
    let mut found = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        if rest.is_empty() {
            return (BTreeMap::new(), "");
        }
        // A name may begin with `=`, so at least one letter is taken each time.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let ends = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '/' | '>' | '=');
        let length = rest.get(first..).and_then(|tail| tail.find(ends)).map_or(rest.len(), |length| first + length);
        let (name, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after.trim_start_matches(|letter: char| letter.is_ascii_whitespace());
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start_matches(|letter: char| letter.is_ascii_whitespace());
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after.get(1..).unwrap_or_default().split_once(quote).unwrap_or_default(),
                _ => {
                    let end = after.find(|letter: char| letter.is_ascii_whitespace() || letter == '>');
                    after.split_at_checked(end.unwrap_or(after.len())).unwrap_or_default()
                }
            };
        }
        if keep {
            found.entry(name.to_ascii_lowercase()).or_insert_with(|| decode(value));
        }
    }
}

/// Resolves character references: numbers, and the names that attributes of index pages have.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        match reference(after) {
            Some((letter, after)) => {
                decoded.push(letter);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn reference(text: &str) -> Option<(char, &str)> {
    const NAMES: [(&str, char); 6] =
        [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\''), ("nbsp;", '\u{a0}')];
    if let Some(number) = text.strip_prefix('#') {
        let end = number.find(';').filter(|end| *end <= 8)?;
        let (digits, after) = (number.get(..end)?, number.get(end + 1..)?);
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
            None => digits.parse().ok()?,
        };
        return Some((char::from_u32(code).filter(|letter| *letter != '\0')?, after));
    }
    NAMES.iter().find_map(|(name, letter)| Some((*letter, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hrefs(text: &str) -> Vec<String> {
        read(text).anchors.iter().map(|anchor| anchor.get("href").unwrap().to_owned()).collect()
    }

    #[test]
    fn links_are_found_with_any_quotes_and_their_entities_decoded() {
        let page = read(
            "<!DOCTYPE html><html><body><a href=\"a.whl#sha256=00\" data-requires-python=\"&gt;=3.9,&#60;4\">a</a>\n\
             <A HREF='b.whl' data-yanked>b</A><a\nhref=c.whl>c</a><a name=x>no</a></body></html>",
        );
        assert_eq!(page.anchors.len(), 3);
        assert_eq!(page.anchors[0].get("data-requires-python"), Some(">=3.9,<4"));
        assert_eq!(page.anchors[1].get("data-yanked"), Some(""));
        assert_eq!(page.anchors[2].get("href"), Some("c.whl"));
    }

    #[test]
    fn comments_and_scripts_hold_no_links() {
        let text = "<!-- <a href=x>x</a> --><script>'<a href=y>'</script><style><a href=z></STYLE><a href=good>";
        assert_eq!(hrefs(text), ["good"]);
    }

    #[test]
    fn a_base_is_seen() {
        assert_eq!(read("<head><base href='https://example.org/x/'></head>").base.unwrap(), "https://example.org/x/");
    }

    #[test]
    fn broken_markup_gives_what_can_be_read() {
        assert_eq!(hrefs("<a href=\"open"), [] as [&str; 0]);
        assert_eq!(hrefs("< a href=x><a href=ok><a href"), ["ok"]);
        assert_eq!(hrefs("<a ==='' href='ok'><a/href=ü>"), ["ok", "ü"]);
        assert_eq!(
            decode("&&#0;&#x110000;&#99999999999;&amp;&unknown;&lt"),
            "&&#0;&#x110000;&#99999999999;&&unknown;&lt"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_it_fail(text in "(<|a|/|>|=|\"|'| |href|&|#|;|!--|-->|script|ü|base){0,60}") {
            read(&text);
        }
    }
}

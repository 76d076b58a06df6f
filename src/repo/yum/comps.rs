//! Group metadata (`comps.xml`) that somebody gives for a suite: dnf's groups and environments.
//!
//! It is published as it is, byte for byte, once it is found well-formed and to say what clients expect: they read it with
//! parsers of their own, and what one of them stops at, every machine stops at.

use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Fedora's, which has every group that there is, takes two megabytes.
const MAX_SIZE: usize = 16 * 1024 * 1024;
/// `comps/group/packagelist/packagereq` is four deep.
const MAX_DEPTH: usize = 8;

/// The parts that have an `id` and a `name`.
const PARTS: [&str; 3] = ["group", "environment", "category"];

/// Why a file is no group metadata; nothing when it is.
pub(in crate::repo) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > MAX_SIZE {
        return Err(format!("it is larger than {MAX_SIZE} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut found = Found::default();
    loop {
        match reader.read_event().map_err(|error| format!("it is no well-formed XML: {error}"))? {
            Event::Eof => break,
            Event::Start(element) => {
                check_attributes(&element)?;
                found.begin(element.name().as_ref())?;
            }
            Event::Empty(element) => {
                check_attributes(&element)?;
                found.begin(element.name().as_ref())?;
                found.end()?;
            }
            Event::End(_) => found.end()?,
            Event::Text(text) => found.text(text.as_ref()),
            // A name is text: an entity of its own could only be one that a DTD defines.
            Event::GeneralRef(name) if !name.is_char_ref() && !is_predefined(name.as_ref()) => {
                return Err("it uses an entity that XML does not define".to_owned());
            }
            Event::GeneralRef(name) => found.text(name.as_ref()),
            Event::DocType(declaration) if AsRef::<str>::as_ref(&declaration).contains('[') => {
                return Err("it has a document type of its own".to_owned());
            }
            _ => {}
        }
    }
    found.finish()
}

fn is_predefined(name: &str) -> bool {
    matches!(name, "amp" | "lt" | "gt" | "apos" | "quot")
}

fn check_attributes(element: &quick_xml::events::BytesStart<'_>) -> Result<(), String> {
    let bad = element.attributes().find_map(Result::err);
    bad.map_or(Ok(()), |error| Err(format!("it is no well-formed XML: {error}")))
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    path: Vec<String>,
    roots: usize,
    texts: String,
    id: Option<String>,
    named: bool,
    ids: BTreeSet<String>,
}

impl Found {
    fn begin(&mut self, name: &str) -> Result<(), String> {
        if self.path.len() == MAX_DEPTH {
            return Err("it is nested deeper than any group metadata".to_owned());
        }
        if self.path.is_empty() {
            self.roots += 1;
            if name != "comps" || self.roots > 1 {
                return Err(format!("its root is `{}`, not one `comps`", name.escape_debug()));
            }
        }
        if self.path.len() == 1 {
            (self.id, self.named) = (None, false);
        }
        self.texts.clear();
        self.path.push(name.to_owned());
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.texts.push_str(text);
    }

    fn end(&mut self) -> Result<(), String> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let text = self.texts.trim().to_owned();
        match path.as_slice() {
            [_, part, "id"] if PARTS.contains(part) => {
                if text.is_empty() || text.chars().any(|character| character.is_control() || character.is_whitespace())
                {
                    return Err(format!("a {part} has the id `{}`", text.escape_debug()));
                }
                if self.id.replace(text.clone()).is_some() || !self.ids.insert(format!("{part} {text}")) {
                    return Err(format!("the {part} `{text}` stands twice"));
                }
            }
            [_, part, "name"] if PARTS.contains(part) => self.named |= !text.is_empty(),
            [_, part, .., "packagereq" | "groupid"] if PARTS.contains(part) && text.is_empty() => {
                return Err(format!("the {part} `{}` names nothing", self.id.as_deref().unwrap_or_default()));
            }
            [_, part] if PARTS.contains(part) => match &self.id {
                None => return Err(format!("a {part} has no id")),
                Some(id) if !self.named => return Err(format!("the {part} `{id}` has no name")),
                Some(_) => {}
            },
            _ => {}
        }
        self.path.pop();
        self.texts.clear();
        Ok(())
    }

    fn finish(&self) -> Result<(), String> {
        if !self.path.is_empty() || self.roots != 1 {
            return Err("it is no well-formed XML: it ends early".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>acme</id>
    <name>Acme &amp; more</name>
    <name xml:lang="de">Acme</name>
    <description/>
    <default>false</default>
    <uservisible>true</uservisible>
    <packagelist><packagereq type="mandatory">acme-api</packagereq></packagelist>
  </group>
  <environment><id>acme</id><name>Acme</name><grouplist><groupid>acme</groupid></grouplist></environment>
</comps>
"#;

    #[test]
    fn group_metadata_are_taken_and_what_is_none_is_not() {
        assert_eq!(check(GOOD.as_bytes()), Ok(()));
        for (from, to, reason) in [
            ("<comps>", "<groups>", "not one `comps`"),
            ("</comps>", "", "ends early"),
            ("</comps>", "</comps><comps></comps>", "not one `comps`"),
            ("<id>acme</id>\n", "", "has no id"),
            ("<id>acme</id>\n", "<id>a b</id>", "has the id"),
            ("    <name>Acme &amp; more</name>\n    <name xml:lang=\"de\">Acme</name>\n", "", "has no name"),
            ("&amp;", "&evil;", "entity"),
            ("comps.dtd\">", "comps.dtd\" [<!ENTITY e \"x\">]>", "document type"),
            ("acme-api</packagereq>", "</packagereq>", "names nothing"),
            ("</group>", "</group><group><id>acme</id><name>x</name></group>", "stands twice"),
            ("<default>", "<default><a><a><a><a><a><a><a></a></a></a></a></a></a></a>", "deeper"),
            ("</default>", "</wrong>", "well-formed"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let said = check(GOOD.replacen(from, to, 1).as_bytes()).expect_err(to);
            assert!(said.contains(reason), "{to}: {said}");
        }
        assert!(check(&[0xff]).is_err() && check(b"").is_err());
    }
}

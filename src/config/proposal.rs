//! The text of a `packhouse.toml` that is proposed: tables of keys with a reason each.

use minijinja::{Value, context};

use super::error::Error;

const TEMPLATE: &str = include_str!("../../templates/packhouse.toml.j2");

/// How long a line of a comment is.
const WIDTH: usize = 110;

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: toml::Value,
    /// Why it is there.
    pub comment: Option<String>,
}

impl Setting {
    /// A key with a value that speaks for itself.
    pub fn new(key: &str, value: impl Into<toml::Value>) -> Self {
        Self { key: key.to_owned(), value: value.into(), comment: None }
    }

    /// The same with the reason.
    #[must_use]
    pub fn because(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }
}

/// A table of the configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// `services.acme-api.systemd`, each part a key of its own.
    pub path: Vec<String>,
    /// Whether it is one of an array of tables.
    pub is_element: bool,
    /// What is to be said of it.
    pub comments: Vec<String>,
    /// Its keys.
    pub settings: Vec<Setting>,
}

impl Table {
    /// A table at these keys.
    pub fn new(path: &[&str]) -> Self {
        Self { path: path.iter().map(|&key| key.to_owned()).collect(), ..Self::default() }
    }

    fn header(&self) -> String {
        let path: Vec<String> = self.path.iter().map(|key| quoted_key(key)).collect();
        let path = path.join(".");
        if self.is_element { format!("[[{path}]]") } else { format!("[{path}]") }
    }
}

/// What the file says.
#[derive(Debug, Default)]
pub struct Content {
    /// The keys of `[project]`.
    pub project: Vec<Setting>,
    /// Other tables.
    pub tables: Vec<Table>,
    /// What was found, a line each.
    pub found: Vec<String>,
    /// What could not be carried over, a paragraph each.
    pub left: Vec<String>,
}

/// The text of the file.
///
/// # Errors
/// When the template cannot be rendered, which is a bug.
pub fn render(content: &Content) -> Result<String, Error> {
    let settings = |settings: &[Setting]| -> Vec<Value> { settings.iter().map(setting).collect() };
    let tables = content.tables.iter().map(|table| {
        context! {
            header => table.header(),
            comments => table.comments.iter().flat_map(|text| wrapped(text)).collect::<Vec<_>>(),
            settings => settings(&table.settings),
        }
    });
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
    let mut text = environment.render_str(
        TEMPLATE,
        context! {
            project => settings(&content.project),
            tables => tables.collect::<Vec<Value>>(),
            found => content.found.iter().flat_map(|text| hanging(text)).collect::<Vec<_>>(),
            left => content.left.iter().flat_map(|text| hanging(text)).collect::<Vec<_>>(),
        },
    )?;
    text.push('\n');
    Ok(text)
}

fn setting(setting: &Setting) -> Value {
    context! {
        key => quoted_key(&setting.key),
        value => setting.value.to_string(),
        comments => setting.comment.iter().flat_map(|text| wrapped(text)).collect::<Vec<_>>(),
    }
}

/// A key as it stands in a header or before `=`.
fn quoted_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}

/// A text as lines of a comment: nothing of it can end the comment.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        match lines.last_mut() {
            _ if word.is_empty() => {}
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The same as an item of a list.
fn hanging(text: &str) -> Vec<String> {
    let lines = wrapped(text).into_iter().enumerate();
    lines.map(|(index, line)| format!("{} {line}", if index == 0 { "-" } else { " " })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_read_can_leave_its_comment_or_its_string() {
        let evil = "x\"\n[evil]\ny = \"1\u{85}\u{2028}z\r\n# w";
        let mut table = Table::new(&["services", "a.b", "c\"]"]);
        table.comments.push(evil.to_owned());
        table.settings.push(Setting::new("summary", evil).because(evil));
        table.settings.push(Setting::new("a b", toml::Table::from_iter([("deb".to_owned(), vec![evil].into())])));
        let content = Content {
            project: vec![Setting::new("org", "acme")],
            tables: vec![table],
            found: vec![evil.to_owned()],
            left: vec![evil.to_owned()],
        };
        let text = render(&content).unwrap();
        let parsed: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(parsed.keys().collect::<Vec<_>>(), ["project", "services"], "{text}");
        let table = &parsed["services"]["a.b"]["c\"]"];
        assert_eq!(table["summary"].as_str(), Some(evil));
        assert_eq!(table["a b"]["deb"][0].as_str(), Some(evil));
    }

    #[test]
    fn comments_are_wrapped_and_lists_hang() {
        let text = "word ".repeat(60);
        let lines = hanging(&text);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.len() <= WIDTH + 2), "{lines:?}");
        assert!(lines[0].starts_with("- word") && lines[1].starts_with("  word"));
    }
}

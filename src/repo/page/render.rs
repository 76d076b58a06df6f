//! Pages as text: the templates of `templates/site`, which escape whatever they are given.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::names::stem;
use super::tree::Node;
use super::view::{ListView, PackageView, Recent, SiteView, day, page_href};
use crate::digest::Sha256;
use crate::repo::error::RepoError;

/// Files that pages use. Their names tell their content, so that a page keeps those that it was made for.
const ASSETS: [(&str, &str, &str); 3] = [
    ("style", "css", include_str!("../../../templates/site/style.css")),
    ("script", "js", include_str!("../../../templates/site/script.js")),
    ("icon", "svg", include_str!("../../../templates/site/icon.svg")),
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let templates = [
        ("layout.html", include_str!("../../../templates/site/layout.html")),
        ("index.html", include_str!("../../../templates/site/index.html")),
        ("list.html", include_str!("../../../templates/site/list.html")),
        ("package.html", include_str!("../../../templates/site/package.html")),
    ];
    for (name, source) in templates {
        // A template that is malformed is missing, and rendering says so: a test renders each.
        let _ = environment.add_template(name, source);
    }
    environment
});

/// The names of the assets.
#[derive(Debug, Clone, Serialize)]
struct Assets {
    style: String,
    script: String,
    icon: String,
}

static NAMES: LazyLock<Assets> = LazyLock::new(|| {
    let name =
        |wanted: &str| assets().find(|(name, _)| name.starts_with(wanted)).map(|(name, _)| name).unwrap_or_default();
    Assets { style: name("style"), script: name("script"), icon: name("icon") }
});

/// The files below `assets`, with their contents.
pub(super) fn assets() -> impl Iterator<Item = (String, &'static str)> {
    ASSETS.iter().map(|(name, extension, content)| {
        let digest: String = Sha256::of(content.as_bytes()).to_string().chars().take(16).collect();
        (format!("{name}-{digest}.{extension}"), *content)
    })
}

/// `index.html`.
pub(super) fn index(label: &str, site: &SiteView) -> Result<String, RepoError> {
    let recent = |package: &Recent| {
        context! {
            name => &package.name, version => &package.version, summary => &package.summary,
            day => day(package.time), href => page_href(&package.name),
        }
    };
    let recent: Vec<Value> = site.recent.iter().map(recent).collect();
    let site = context! { recent, ..value(site) };
    render("index.html", context! { root => "", label, assets => value(&*NAMES), site })
}

/// A list page.
pub(super) fn list(label: &str, list: &ListView) -> Result<String, RepoError> {
    let root = if list.prefix.is_empty() { "" } else { "../" };
    render("list.html", context! { root, label, assets => value(&*NAMES), list => value(list) })
}

/// A package's page.
pub(super) fn package(label: &str, package: &PackageView) -> Result<String, RepoError> {
    render("package.html", context! { root => "../", label, assets => value(&*NAMES), package => value(package) })
}

/// A node for the search in a browser.
pub(super) fn node(node: &Node) -> String {
    let entries = node.entries.iter().map(
        |entry| serde_json::json!({ "k": entry.key, "n": entry.name, "s": entry.summary, "f": stem(&entry.name) }),
    );
    let children = node
        .children
        .iter()
        .map(|child| serde_json::json!({ "p": child.prefix, "c": child.count, "f": stem(&child.prefix) }));
    serde_json::json!({ "e": entries.collect::<Vec<_>>(), "d": children.collect::<Vec<_>>() }).to_string()
}

fn value(of: &impl Serialize) -> Value {
    Value::from(Serde(of))
}

fn render(name: &str, values: Value) -> Result<String, RepoError> {
    TEMPLATES
        .get_template(name)
        .and_then(|template| template.render(values))
        .map(|text| text.trim().to_owned() + "\n")
        .map_err(|error| RepoError::BadState {
            path: format!("templates/site/{name}").into(),
            reason: format!("{error:#}"),
        })
}

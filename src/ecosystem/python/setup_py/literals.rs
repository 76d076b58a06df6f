//! Whether a setup.py is data: nothing but a call of `setup()` with literals, so that what setuptools does for it follows
//! from its text, the names of files, and the files that it opens, none of which is a module.

use tree_sitter::Node;

use super::super::source::Source;
use super::scope::{descendants, parse};

/// Names that a call may use.
const NAMES: [&str; 5] = ["setuptools", "setup", "find_packages", "find_namespace_packages", "open"];
/// Attributes of these and of what they return.
const ATTRIBUTES: [&str; 7] =
    ["setup", "find_packages", "find_namespace_packages", "find", "read", "strip", "splitlines"];
/// What expressions and statements are made of, as the grammar of Python calls it. Comprehensions, lambdas, operators and
/// f-strings are not among it.
const KINDS: [&str; 27] = [
    "module",
    "comment",
    "import_statement",
    "import_from_statement",
    "dotted_name",
    "expression_statement",
    "call",
    "argument_list",
    "keyword_argument",
    "attribute",
    "identifier",
    "string",
    "string_start",
    "string_content",
    "string_end",
    "escape_sequence",
    "concatenated_string",
    "list",
    "tuple",
    "set",
    "dictionary",
    "pair",
    "integer",
    "true",
    "false",
    "none",
    "parenthesized_expression",
];

/// Whether `source` is such a setup.py.
pub(in crate::ecosystem::python) fn is_made_of_literals(source: &Source) -> bool {
    let Ok(tree) = parse(source) else { return false };
    let root = tree.root_node();
    !root.has_error() && descendants(root).filter(Node::is_named).all(|node| is_harmless(source, node))
}

fn is_harmless(source: &Source, node: Node<'_>) -> bool {
    let text = source.text.get(node.byte_range()).unwrap_or_default();
    match node.kind() {
        "identifier" if is_field(node, "keyword_argument", "name") => true,
        "identifier" if is_field(node, "attribute", "attribute") => ATTRIBUTES.contains(&text),
        "identifier" => NAMES.contains(&text),
        // A module, or a command of the project.
        "string" => !text.contains(".py") && !text.contains("attr:"),
        kind => KINDS.contains(&kind),
    }
}

/// Whether `node` is the `field` of a parent of this kind.
fn is_field(node: Node<'_>, kind: &str, field: &str) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == kind && parent.child_by_field_name(field) == Some(node))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn judge(text: &str) -> bool {
        is_made_of_literals(&Source::from_bytes(Path::new("setup.py"), text.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_call_with_literals_is_data_and_everything_else_may_be_anything() {
        for data in [
            "from setuptools import setup\nsetup(name='shop', version='1.0', packages=['shop'])\n",
            "import setuptools\n\nsetuptools.setup(name='shop', packages=setuptools.find_packages(exclude=['tests']))\n",
            "from setuptools import find_packages, setup\n# why\nsetup(packages=find_packages('src'), package_dir={'': 'src'},\n\
             long_description=open('README.md', encoding='utf-8').read(), zip_safe=False)\n",
            "from setuptools import setup\nsetup(entry_points={'console_scripts': ['acme-shop=shop:main']})\n",
        ] {
            assert!(judge(data), "{data}");
        }
        for program in [
            "from setuptools import setup\nimport shop\nsetup(version=shop.__version__)\n",
            "from setuptools import setup\nfrom shop import version\nsetup(version=version)\n",
            "from setuptools import setup\nsetup(version=open('shop/__init__.py').read())\n",
            "from setuptools import setup\nsetup(version=open('shop/__init__' + '.py').read())\n",
            "from setuptools import setup\nsetup(version=f'{open(\"x\").read()}')\n",
            "from setuptools import setup\nsetup(cmdclass={'build_py': Build})\n",
            "from setuptools import setup\nsetup(version=eval('1'))\n",
            "from setuptools import setup\nsetup(scripts=['bin/shop.py'])\n",
            "from setuptools import setup\nversion = '1'\nsetup(version=version)\n",
            "from setuptools import setup\nsetup(packages=[x for x in ['shop']])\n",
            "from setuptools import setup\nsetup(**{'name': 'shop'})\nexec('1')\n",
            "setup(",
        ] {
            assert!(!judge(program), "{program}");
        }
    }
}

//! What is wrong with a configuration.

codes! {
    NO_CONFIGURATION = "no-configuration", [Usage],
    "no configuration was found",
    "packhouse.toml, or a table of packhouse in Cargo.toml or pyproject.toml, is looked for in the current directory and in \
     those above it, up to the root of the git repository.",
    "cd /tmp && packhouse build",
    "Run packhouse in the project, name the file with `--manifest-path FILE`, or write one with \
     `packhouse init --org ORG --maintainer \"NAME <MAIL>\"`.";

    TWO_CONFIGURATIONS = "two-configurations", [Usage],
    "two configurations stand in one directory",
    "One of them would be ignored without a word.",
    "packhouse.toml\npyproject.toml: [tool.packhouse]",
    "Keep one of the two.";

    INVALID_TOML = "invalid-toml", [Usage, Failed],
    "a file is no TOML",
    "The parser's message stands at the place where it gave up; what is wrong may stand a little before it: a quotation mark or \
     a bracket that is not closed, a key that stands twice.",
    "[project\norg = \"acme\"",
    "Correct the file at the place that is shown.";

    UNKNOWN_KEY = "unknown-key", [Usage],
    "a key that does not exist",
    "A misspelt key would be passed over in silence, and the package would lack what it was to say.",
    "[project]\norg = \"acme\"\nmaintaner = \"Jo <jo@acme.example>\"",
    "Use the key that the message offers; docs/configuration.md lists all keys.";

    WRONG_TYPE = "wrong-type", [Usage],
    "a value has another type than its key takes",
    "A key takes a text, a number, yes or no, a list or a table; the message says which.",
    "[project]\ntargets = \"debian-12\"",
    "Write the value in the type that the message names: `targets = [\"debian-12\"]`.";

    MISSING_KEY = "missing-key", [Usage],
    "a key is missing that has no default",
    "Few things have no sensible default: the organisation and the maintainer of the packages among them.",
    "[project]\norg = \"acme\"",
    "Add the line that the message shows, or have the file written by \
     `packhouse init --org ORG --maintainer \"NAME <MAIL>\"`.";

    INVALID_VALUE = "invalid-value", [Usage],
    "a value cannot be right",
    "The key exists and the type fits, but the value breaks a rule of what it stands for, or does not fit what was found in the \
     repository: a maintainer without a mail address, a path that leads out of the repository, a distribution that is not known.",
    "[project]\norg = \"acme\"\nmaintainer = \"Jo\"",
    "Correct the value as the message says; docs/configuration.md tells of each key what it takes.";

    ALREADY_CONFIGURED = "already-configured", [Usage],
    "there is a configuration already",
    "`init` never overwrites what a person wrote.",
    "packhouse init",
    "Edit the file, or remove it and run `packhouse init` again.";

    CANNOT_GUESS = "cannot-guess", [Usage],
    "something could not be found out that has no default",
    "`init`, and `build` without a configuration, take the organisation and the maintainer from git and from the manifests; where \
     these say nothing, or there are several services, they do not invent a name.",
    "packhouse init",
    "Say it: `packhouse init --org ORG --maintainer \"NAME <MAIL>\"`.";
}

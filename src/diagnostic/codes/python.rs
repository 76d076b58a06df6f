//! What is wrong with a Python service: its requirements, its lock, its build.

codes! {
    NO_INTERPRETER = "no-interpreter", [Environment],
    "this machine has no Python",
    "uv needs a CPython of any version to resolve with, and what has no wheel is built with the target's version.",
    "error[no-interpreter]: uv found no Python interpreter on this machine",
    "`sudo apt-get install python3` or `sudo dnf install python3`; `packhouse doctor` says which versions the project asks for.";

    NO_UV = "no-uv", [Environment, Failed],
    "there is no uv to resolve with",
    "A uv on PATH that is recent enough is taken, else a pinned one is fetched into the cache from the configured index.",
    "packhouse lock --offline",
    "Install uv (`pip install uv`, or https://docs.astral.sh/uv/), or run `packhouse lock` once without `--offline`.";

    INTERPRETER_NOT_IN_TARGET = "interpreter-not-in-target", [Usage],
    "a target does not have the interpreter that is asked for",
    "A service runs on an interpreter of its target's distribution; which ones there are is known for each.",
    "[services.acme-api.python]\nversion = \"3.13\"   # debian-12 has 3.11",
    "Change `version` under `[services.NAME.python]`, or leave the target out of `targets` in `[project]`.";

    PYTHON_EXCLUDED = "python-excluded", [Usage, Failed],
    "a package does not run on the interpreter of a target",
    "`requires-python` of the service, or of a wheel in its lock, excludes the version that the target has.",
    "[project]\nrequires-python = \">=3.12\"   # el9 has 3.9, 3.11, 3.12; debian-12 has 3.11",
    "Widen `requires-python` if the code runs there, choose another interpreter with `version` under `[services.NAME.python]`, \
     or leave the target out of `targets`.";

    INVALID_REQUIRES_PYTHON = "invalid-requires-python", [Usage],
    "`requires-python` cannot be read",
    "It is a version specifier of PEP 440.",
    "requires-python = \"3.9 or newer\"",
    "Write it as in `>=3.9,<4`.";

    NO_PYTHON_MANIFEST = "no-python-manifest", [Failed, Usage],
    "a directory has no Python manifest",
    "A Python project has a pyproject.toml, a setup.cfg or a setup.py.",
    "[services.acme-api]\npath = \"services/api/src\"",
    "Check `members` and `path` in packhouse.toml; `packhouse list` shows what was found.";

    REQUIREMENTS_NOT_READABLE = "requirements-not-readable", [Failed],
    "the requirements are computed by code",
    "setup.py is read, not run; a list that it takes from a function or a network cannot be known.",
    "setup(install_requires=fetch_requirements())",
    "Name the requirements in requirements.txt, or in `dependencies` of `[project]` in pyproject.toml.";

    INVALID_REQUIREMENT = "invalid-requirement", [Failed],
    "a requirement cannot be understood",
    "Requirements follow PEP 508, requirements files pip's rules; what pip would take from the environment or from outside of the \
     repository is refused.",
    "requests=>2.0",
    "Write it as in `name[extra]>=1.0; python_version < '3.13'`.";

    INVALID_VENDOR_TXT = "invalid-vendor-txt", [Failed],
    "vendor.txt or a requirement by URL cannot be used",
    "Such a line names one archive: by its name, its digest and its place; two places for one package contradict each other.",
    "acme-common @ https://files.acme.example/acme-other-1.0.tar.gz",
    "Correct the line that is shown; docs/vendor-txt.md describes the file.";

    UNKNOWN_EXTRA = "unknown-extra", [Usage],
    "a service has no such extra",
    "`extras` under `[services.NAME.python]` chooses among the manifest's optional dependencies.",
    "[services.acme-api.python]\nextras = [\"postgre\"]",
    "Use the name that the message offers, or add it to `[project.optional-dependencies]`.";

    UNRESOLVABLE = "unresolvable", [Failed],
    "no set of versions meets all requirements",
    "uv found that the requirements contradict each other, that a name exists nowhere, or that an index does not let it look.",
    "dependencies = [\"django>=5\", \"django-old-plugin\"]   # which requires django<4",
    "Loosen one of the requirements that the message names; check the names; an index of your own is named by `[[index]]`.";

    RESOLUTION_REFUSED = "resolution-refused", [Failed],
    "a resolution cannot be locked",
    "uv gave an answer that a lock must not have: a package from another index than the one it is pinned to, or from a place that \
     cannot be vendored.",
    "error[resolution-refused]: acme-common is pinned to the index internal, but acme-common 1.0 comes from https://pypi.org/simple",
    "Correct `packages` of `[[index]]`, or publish the package in the index that it is pinned to.";

    LOCK_UNUSABLE = "lock-unusable", [Failed],
    "a lock file cannot be used",
    "It is damaged, of a version that is not known, or contradicts the manifests.",
    "pylock.packhouse.toml with conflict markers of git in it",
    "Bring it up to date with the tool that wrote it (`uv lock`, `poetry lock`, `pdm lock`); packhouse's own is made again by \
     removing it and running `packhouse lock`.";

    LOCK_MISSING = "lock-missing", [Failed, Policy],
    "a service has no lock",
    "What goes into a package is decided when it is locked, not when it is built.",
    "packhouse build",
    "Run `packhouse lock SERVICE` and `packhouse vendor SERVICE`, and commit the lock.";

    LOCK_OUTDATED = "lock-outdated", [Failed, Policy],
    "a lock is older than what it depends on",
    "Requirements, targets or settings have changed since it was made. With `--locked` that is a policy's no (exit 3).",
    "packhouse build --locked",
    "Run `packhouse lock SERVICE` and commit the lock.";

    NO_DISTRIBUTION = "no-distribution", [Failed],
    "a package cannot be had for a target",
    "It has neither a wheel that fits the target nor a source distribution, or one that does not say what it requires.",
    "error[no-distribution]: acme-native 1.0 cannot be had for el9/aarch64: it has no wheel for it and no source distribution",
    "Require a version that has a wheel, give an index that has one, then run `packhouse lock SERVICE` and `packhouse vendor \
     SERVICE`; or leave the target out of `targets`.";

    DIGEST_MISMATCH = "digest-mismatch", [Failed],
    "no file of a package has a digest that is required",
    "The requirements name digests, and the index has other files.",
    "requests==2.32.0 --hash=sha256:0000…",
    "If the new files are to be trusted, write their digests to the requirement; else find out who changed them.";

    DIGEST_MISSING = "digest-missing", [Failed],
    "a requirement has no digest although all must have one",
    "`--require-hashes`, or one `--hash` in a requirements file, asks for a digest of everything that is installed.",
    "requests==2.32.0 --hash=sha256:…\ncertifi",
    "Add the package with its `--hash` to the requirements file; `pip-compile --generate-hashes` writes all of them.";

    VENDORED_FILE_MISSING = "vendored-file-missing", [Failed],
    "the vendor directory lacks a file of the lock",
    "`build` uses no network: what the lock names must have been fetched.",
    "git clone … && packhouse build",
    "Run `packhouse vendor SERVICE`.";

    VENDORED_FILE_CHANGED = "vendored-file-changed", [Failed],
    "the vendor directory is not what the lock names",
    "A file has another SHA-256 than the lock. Somebody replaced it, or a merge took the lock of one side and the files of the other.",
    "error[vendored-file-changed]: the vendor directory of acme-api is not what its lock names",
    "Run `packhouse vendor SERVICE`, and see with `git diff` what it puts back.";

    VENDOR_DIRECTORY_UNUSABLE = "vendor-directory-unusable", [Failed],
    "the vendor directory cannot be used",
    "It, or something in it, is a link that leads out of the repository, or the list of what packhouse put there is damaged.",
    "vendor -> /srv/vendor",
    "Make it a directory of the repository; restore its list with `git checkout`, or remove it and run `packhouse vendor`.";

    TWO_FILES_OF_ONE_NAME = "two-files-of-one-name", [Failed],
    "the locks name two different files of one name",
    "Both would have to lie at one place of the vendor directory.",
    "error[two-files-of-one-name]: the locks of acme-api name two different files `six-1.17.0-py2.py3-none-any.whl`",
    "Take the package from one index only (`packages` of `[[index]]`), then run `packhouse lock SERVICE`.";

    BUILD_REQUIREMENT_MISSING = "build-requirement-missing", [Failed],
    "building a package needs something that its build lock does not have",
    "A back end asked for more than its pyproject.toml says. Build requirements are locked as all others are.",
    "error[build-requirement-missing]: building acme-native needs cython, which its build lock does not have",
    "Name it with `build-requires` under `[services.NAME.python]`, then run `packhouse lock` and `packhouse vendor`.";

    PYTHON_BUILD_FAILED = "python-build-failed", [Failed],
    "building a Python package failed",
    "A back end ended with an error, or gave something that is no wheel of this package. It ran without network and saw only its \
     sources and its build requirements; its output stands below the message.",
    "error[python-build-failed]: building acme-native failed (exit status: 1)\ngcc: command not found",
    "Follow the back end's message: install what it misses (`sudo apt-get install build-essential`, headers), or require a \
     version that has a wheel.";

    VERSION_DIFFERS = "version-differs", [Failed],
    "a package is built as another version than was told",
    "The git tag or the configuration says one version, the code that builds the package another.",
    "error[version-differs]: acme-api is built as version 1.0.1, and the git tag or the configuration says 1.1.0",
    "Set `version` under `[services.NAME]` to the right one, or write it into the manifest as a literal.";

    DAMAGED_SOURCE = "damaged-source", [Failed],
    "a source archive is damaged or hostile",
    "It cannot be unpacked, or would write outside of its directory, or is larger than anything of its kind.",
    "error[damaged-source]: acme-1.0.tar.gz: its entry `../../etc/passwd` leads out of the archive",
    "Require another version of it, or one that has a wheel.";

    DAMAGED_WHEEL = "damaged-wheel", [Failed],
    "a wheel is not what its RECORD or the lock says",
    "No installer should take it: files are missing, are not listed, or have other digests, or its names lead elsewhere.",
    "error[damaged-wheel]: acme-1.0-py3-none-any.whl: `acme/__init__.py` is not listed in RECORD",
    "Fetch it again with `packhouse vendor`; if it stays so, require another version, or have it built from source (`no-binary` \
     under `[services.NAME.python]`).";

    BYTECODE_FAILED = "bytecode-failed", [Failed],
    "an interpreter could not compile a wheel's modules",
    "The interpreter itself failed, not a module: modules that are for another version are left as they are.",
    "error[bytecode-failed]: /usr/bin/python3.11 could not compile acme-1.0-py3-none-any.whl: Killed",
    "See whether `python3 -m compileall` works on this machine; out of memory is the usual cause.";

    FILES_COLLIDE = "files-collide", [Failed],
    "two things want one path of the package",
    "Two distributions bring a module of one name with different content, or the configuration installs a file where another is.",
    "error[files-collide]: acme-b and acme-a both bring lib/python3.11/site-packages/acme/__init__.py, with different content",
    "Require only one of them, or rename one of the two files.";

    UNUSABLE_SCRIPT = "unusable-script", [Failed],
    "a script or an entry point cannot become a command",
    "A console script is `name = module:attribute`; a script's first line must be one that kernels run with the target's Python 3.",
    "#!/usr/bin/python2",
    "Correct the first line to `#!/usr/bin/env python3`, or the entry point to `name = module:attribute`.";

    BUILD_CYCLE = "build-cycle", [Failed],
    "build requirements need each other to be built",
    "None of them can be first.",
    "error[build-cycle]: these build requirements need each other to be built: flit-core, tomli",
    "Require a version of one of them that has a wheel.";

    WHEEL_DOES_NOT_FIT = "wheel-does-not-fit", [Failed],
    "what was compiled here does not fit the target",
    "An extension fits the interpreter and the processor that it was compiled with.",
    "error[wheel-does-not-fit]: acme_native-1.0-cp313-cp313-linux_x86_64.whl, built here with CPython 3.13, does not fit debian-12/amd64",
    "Build on the target's own release (a container of it), or require a version that has a wheel.";

    BUILD_PATH_IN_FILE = "build-path-in-file", [Failed],
    "a file holds the path of the build",
    "It would look for something that is not on the machine it is installed on.",
    "error[build-path-in-file]: acme/_config.py contains the path `/packhouse/build` of the build",
    "Have the package use importlib.resources or `__file__` at run time.";
}

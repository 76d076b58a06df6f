//! A repository of many small services, for measuring.

use std::path::Path;

use crate::Result;

/// Writes a repository of so many Python services, each with its own code and none with dependencies.
pub(crate) fn write(directory: &Path, services: usize) -> Result<()> {
    fs_err::create_dir_all(directory)?;
    let configuration =
        "[project]\norg = \"acme\"\nmaintainer = \"Bench <bench@acme.example>\"\ntargets = [\"debian-12\"]\n";
    fs_err::write(directory.join("packhouse.toml"), configuration)?;
    for number in 1..=services {
        let name = format!("service{number:02}");
        let service = directory.join("services").join(&name);
        fs_err::create_dir_all(service.join(&name))?;
        fs_err::write(service.join(&name).join("__init__.py"), format!("def main():\n    print(\"{name}\")\n"))?;
        fs_err::write(
            service.join("setup.py"),
            format!(
                "from setuptools import setup\nsetup(name='{name}', version='1.0', packages=['{name}'],\n      \
                 entry_points={{'console_scripts': ['acme-{name}={name}:main']}})\n"
            ),
        )?;
    }
    Ok(())
}

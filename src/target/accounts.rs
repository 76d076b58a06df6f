//! The users and groups that exist on every system of a format, before any package could have made one.
//!
//! Debian: those of base-passwd with fixed numbers (`/usr/share/base-passwd/{passwd,group}.master`). Fedora and EL: those
//! of `setup` (`/usr/share/doc/setup/uidgid` where they are made by it); openSUSE has them all in `system-user-*`.

use super::Format;

/// Debian's users with their numbers.
const DEBIAN_USERS: &[(&str, u64)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("sync", 4),
    ("games", 5),
    ("man", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
    ("list", 38),
    ("irc", 39),
];

/// Debian's groups with their numbers.
const DEBIAN_GROUPS: &[(&str, u64)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("fax", 21),
    ("voice", 22),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
];

/// Users of Fedora's and EL's `setup`.
const RPM_USERS: &[(&str, u64)] = &[
    ("root", 0),
    ("bin", 1),
    ("daemon", 2),
    ("adm", 3),
    ("lp", 4),
    ("sync", 5),
    ("mail", 8),
    ("operator", 11),
    ("games", 12),
    ("ftp", 14),
];

/// Groups of Fedora's and EL's `setup`.
const RPM_GROUPS: &[(&str, u64)] = &[
    ("root", 0),
    ("bin", 1),
    ("daemon", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mem", 8),
    ("kmem", 9),
    ("wheel", 10),
    ("cdrom", 11),
    ("mail", 12),
    ("man", 15),
    ("dialout", 18),
    ("floppy", 19),
    ("games", 20),
    ("tape", 33),
    ("video", 39),
    ("ftp", 50),
    ("lock", 54),
    ("audio", 63),
    ("users", 100),
];

/// A user that is always there, and its number.
pub(crate) fn user(name: &str, format: Format) -> Option<(&'static str, u64)> {
    find(if format == Format::Deb { DEBIAN_USERS } else { RPM_USERS }, name)
}

/// A group that is always there, and its number.
pub(crate) fn group(name: &str, format: Format) -> Option<(&'static str, u64)> {
    find(if format == Format::Deb { DEBIAN_GROUPS } else { RPM_GROUPS }, name)
}

fn find(table: &[(&'static str, u64)], name: &str) -> Option<(&'static str, u64)> {
    table.iter().find(|(known, _)| *known == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_accounts_are_base_passwds() {
        for (file, table) in [("passwd", DEBIAN_USERS), ("group", DEBIAN_GROUPS)] {
            let Ok(master) = fs_err::read_to_string(format!("/usr/share/base-passwd/{file}.master")) else { continue };
            let known: Vec<(&str, u64)> = master
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(':');
                    Some((fields.next()?, fields.nth(1)?.parse().ok()?))
                })
                .collect();
            for entry in table {
                assert!(known.contains(entry), "{file}: {entry:?}");
            }
        }
    }
}

//! File capabilities in the text form of cap_from_text(3), checked as setcap(8), rpm and the kernel will take them.
//!
//! A text is a list of clauses between blanks: names with commas between them, then `=`, `+` or `-` and the letters of the
//! sets (`e`ffective, `i`nheritable, `p`ermitted). A file has one bit for its effective set, not a set (capabilities(7)),
//! so that setcap refuses a text whose effective capabilities are neither none nor all of the others.

use super::value::Rule;

/// The kernel's capabilities in the order of their numbers (`linux/capability.h`).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];
const ALL: u64 = (1 << NAMES.len()) - 1;

/// The three sets while a text is read.
#[derive(Default)]
struct Sets {
    effective: u64,
    inheritable: u64,
    permitted: u64,
}

/// Reads `text`, and gives it back in lower case with single blanks between its clauses.
pub(super) fn capabilities(text: &str) -> Result<String, Rule> {
    let text = text.to_ascii_lowercase();
    let mut sets = Sets::default();
    let mut clauses = Vec::new();
    for clause in text.split_ascii_whitespace() {
        apply(clause, clauses.is_empty(), &mut sets)?;
        clauses.push(clause);
    }
    let Sets { effective, inheritable, permitted } = sets;
    if effective | inheritable | permitted == 0 {
        return Err(format!("`{text}` gives no capability"));
    }
    if effective != 0 && effective != inheritable | permitted {
        return Err(format!(
            "`{text}` has a part of the capabilities only in the effective set; a file has all of them there or none \
             (capabilities(7))"
        ));
    }
    Ok(clauses.join(" "))
}

/// `names OPERATOR letters …`; the first clause may be `=letters` for all capabilities.
fn apply(clause: &str, is_first: bool, sets: &mut Sets) -> Result<(), Rule> {
    let wrong = || format!("`{clause}` is no clause like `cap_net_bind_service=ep` (cap_from_text(3))");
    let at = clause.find(['=', '+', '-']).ok_or_else(wrong)?;
    let (names, actions) = clause.split_at(at);
    let list = match names {
        "" if is_first && actions.starts_with('=') => ALL,
        "" => return Err(wrong()),
        names => names.split(',').try_fold(0, |list, name| number(name).map(|found| list | found))?,
    };
    let mut rest = actions;
    while let Some(operator) = rest.chars().next() {
        let letters = rest.get(1..).unwrap_or_default();
        let end = letters.find(['=', '+', '-']).unwrap_or(letters.len());
        let (letters, following) = letters.split_at(end);
        let good = letters.chars().all(|letter| matches!(letter, 'e' | 'i' | 'p'));
        let is_reset = operator == '=';
        // Only the first operator may reset, and raising or lowering nothing has no meaning.
        if !good || (is_reset && rest.len() != actions.len()) || (!is_reset && letters.is_empty()) {
            return Err(wrong());
        }
        for (letter, set) in [('e', &mut sets.effective), ('i', &mut sets.inheritable), ('p', &mut sets.permitted)] {
            let named = letters.contains(letter);
            match operator {
                '=' if named => *set |= list,
                '=' => *set &= !list,
                '+' if named => *set |= list,
                '-' if named => *set &= !list,
                _ => {}
            }
        }
        rest = following;
    }
    Ok(())
}

/// The bit of a capability, or all of them.
fn number(name: &str) -> Result<u64, Rule> {
    if name == "all" {
        return Ok(ALL);
    }
    match NAMES.iter().position(|known| *known == name) {
        Some(number) => Ok(1 << number),
        None => {
            let suggestion = super::suggest::closest(name, NAMES.iter().copied());
            let suggestion = suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            Err(format!("`{name}` is no capability (capabilities(7)){suggestion}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_follow_cap_from_text() {
        for (text, read) in [
            ("cap_net_bind_service=ep", "cap_net_bind_service=ep"),
            ("CAP_NET_BIND_SERVICE+ep", "cap_net_bind_service+ep"),
            ("cap_net_raw,cap_net_admin=eip", "cap_net_raw,cap_net_admin=eip"),
            ("  cap_net_raw=p   cap_net_admin=p ", "cap_net_raw=p cap_net_admin=p"),
            ("=p cap_sys_admin-p", "=p cap_sys_admin-p"),
            ("all=ep", "all=ep"),
            ("cap_chown=p+e", "cap_chown=p+e"),
        ] {
            assert_eq!(capabilities(text).as_deref(), Ok(read));
        }
        for wrong in [
            "",
            "cap_net_bind_service",
            "cap_net_bind=ep",
            "+ep",
            "cap_chown=",
            "cap_chown=x",
            "cap_chown+",
            "cap_chown=p=e",
            "cap_chown=e",
            "cap_chown=ep cap_kill=p",
            "cap_chown=ep; rm -rf /",
            "cap_chown,=ep",
            "cap_chown=ep\ncap_kill=ep\0",
            "=ép",
        ] {
            assert!(capabilities(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn setcap_takes_what_is_taken_here_and_refuses_the_rest() {
        // `setcap -q -v` compares with a file's capabilities: the text is read first, and an error in it is told apart.
        let file = tempfile::NamedTempFile::new().expect("a file");
        let verdict = |text: &str| {
            let output = std::process::Command::new("setcap").arg("-v").arg(text).arg(file.path()).output().ok()?;
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            Some(!said.contains("Invalid argument") && !said.contains("usage:"))
        };
        for text in [
            "cap_net_bind_service=ep",
            "cap_net_raw,cap_net_admin=eip",
            "all=ep",
            "cap_chown=p+e",
            "=p",
            "cap_net_bind=ep",
            "+ep",
            "cap_chown=x",
            "cap_chown+",
        ] {
            let Some(verdict) = verdict(text) else { return };
            assert_eq!(capabilities(text).is_ok(), verdict, "{text}");
        }
    }
}

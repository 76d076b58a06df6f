//! Units and scripts that were written for another tool name the directory in which it installed the private tree. They
//! are read as if they named ours, so that the files of that tool stay as they are, and both can build from them.

use crate::tree::InstallPath;

/// `text` with `prefix` in the place of `former`, wherever that is a whole path or the beginning of one.
pub(super) fn rewritten(text: &str, former: Option<&InstallPath>, prefix: &InstallPath) -> String {
    let Some(former) = former else { return text.to_owned() };
    let former = former.as_str();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(former) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let after = after.get(former.len()..).unwrap_or_default();
        result.push_str(before);
        // `/srv/opt/venvs/shop` and `/opt/venvs/shop-2` are other directories.
        let is_whole = !result.ends_with(goes_before) && !after.starts_with(goes_on);
        result.push_str(if is_whole { prefix.as_str() } else { former });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// What ends a name or a variable that a path goes on from. `-`, `+` and `@` do not: systemd has them before a command.
fn goes_before(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '~' | '}')
}

fn goes_on(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '+' | '.' | '~' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_directory_itself_and_what_is_below_it_are_read_as_ours() {
        let path = |text: &str| InstallPath::parse(text).unwrap();
        let (former, prefix) = (path("/opt/venvs/shop"), path("/usr/lib/acme/shop"));
        let of = |text: &str| rewritten(text, Some(&former), &prefix);
        assert_eq!(
            of("ExecStart=-/opt/venvs/shop/bin/shop -c \"/opt/venvs/shop\""),
            "ExecStart=-/usr/lib/acme/shop/bin/shop -c \"/usr/lib/acme/shop\""
        );
        assert_eq!(of("a=/opt/venvs/shop:/opt/venvs/shop/lib"), "a=/usr/lib/acme/shop:/usr/lib/acme/shop/lib");
        for other in [
            "/srv/opt/venvs/shop",
            "/opt/venvs/shop-2/bin",
            "/opt/venvs/shop.d",
            "${root}/opt/venvs/shop",
            "/opt/venvs",
        ] {
            assert_eq!(of(other), other);
        }
        assert_eq!(rewritten("/opt/venvs/shop", None, &prefix), "/opt/venvs/shop");
    }
}

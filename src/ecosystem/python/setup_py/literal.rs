//! String literals of Python
//! (<https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals>).

/// What stands between the quotes of a literal with this prefix (`r`, `b`, `u`, …), escapes undone; `None` when an escape
/// needs more than the lexer (`\N{…}`) or is wrong.
pub(super) fn unescape(prefix: &str, inner: &str) -> Option<String> {
    if prefix.contains(['r', 'R']) || !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut result = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        let plain = match characters.next()? {
            '\n' => continue,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            same @ ('\\' | '\'' | '"') => same,
            'x' => code(&mut characters, 2)?,
            'u' => code(&mut characters, 4)?,
            'U' => code(&mut characters, 8)?,
            'N' => return None,
            first @ '0'..='7' => {
                let mut value = first.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = characters.peek().and_then(|next| next.to_digit(8)) else { break };
                    value = value * 8 + digit;
                    characters.next();
                }
                char::from_u32(value)?
            }
            other => {
                result.push('\\');
                other
            }
        };
        result.push(plain);
    }
    Some(result)
}

fn code(characters: &mut impl Iterator<Item = char>, digits: usize) -> Option<char> {
    let mut value: u32 = 0;
    for _ in 0..digits {
        value = value.checked_mul(16)?.checked_add(characters.next()?.to_digit(16)?)?;
    }
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_undone_as_python_does() {
        let cases = [
            ("", r"a\n\t\\\'\x41\u00e4\101\q", Some("a\n\t\\'AäA\\q")),
            ("r", r"\d+", Some(r"\d+")),
            ("", "a\\\nb", Some("ab")),
            ("", r"\N{BULLET}", None),
            ("", r"\xg0", None),
            ("", r"\ud800", None),
        ];
        for (prefix, inner, expected) in cases {
            assert_eq!(unescape(prefix, inner).as_deref(), expected, "{inner}");
        }
    }
}

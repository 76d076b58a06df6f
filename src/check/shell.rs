//! As much of the shell's grammar as rules about maintainer scripts need (POSIX.1-2024, chapter "Shell Command
//! Language"): the lines of a script without comments and here-documents, and the words that stand where a command does.

/// A line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Without its comment.
    pub(super) text: &'a str,
}

/// The lines that are code: no comments, no empty ones, no here-documents.
pub(super) fn lines(script: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut until: Vec<String> = Vec::new();
    for (index, raw) in script.lines().enumerate() {
        if let Some(end) = until.first() {
            if raw.trim_start_matches('\t') == end {
                until.remove(0);
            }
            continue;
        }
        let text = without_comment(raw).trim_end();
        until.extend(here_documents(text));
        if !text.trim().is_empty() {
            lines.push(Line { number: index + 1, text });
        }
    }
    lines
}

/// The line up to a `#` that begins a word outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() || before == ';' => return line.get(..at).unwrap_or_default(),
            (None, '\'' | '"') if before != '\\' => quote = Some(character),
            (Some(open), _) if open == character && before != '\\' => quote = None,
            _ => {}
        }
        before = character;
    }
    line
}

/// The words that end the here-documents of a line.
fn here_documents(line: &str) -> Vec<String> {
    let mut ends = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once("<<") {
        rest = after;
        // `<<<` is bash's here-string.
        if let Some(string) = after.strip_prefix('<') {
            rest = string;
            continue;
        }
        let word = after.trim_start_matches('-').trim_start();
        let end = word.find(|c: char| c.is_whitespace() || ";&|<>()".contains(c)).unwrap_or(word.len());
        let word: String = word.get(..end).unwrap_or_default().chars().filter(|c| !"'\"\\".contains(*c)).collect();
        if word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            ends.push(word);
        }
    }
    ends
}

/// The words of a line that stand where a command does: at its beginning, after `;`, `&`, `|`, `(`, a backtick, and after the
/// reserved words that a command follows; assignments before a command are skipped.
pub(super) fn commands(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut expects = true;
    let mut start = None;
    let mut before = ' ';
    let mut end_word = |start: &mut Option<usize>, end: usize, expects: &mut bool| {
        if let Some(word) = start.take().and_then(|from: usize| line.get(from..end))
            && *expects
        {
            let reserved = matches!(
                word,
                "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "!" | "{" | "exec" | "time"
            );
            let assignment = word.split_once('=').is_some_and(|(name, _)| is_name(name));
            if !reserved && !assignment {
                found.push(word);
                *expects = false;
            }
        }
    };
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (Some('"'), '`') => {}
            (Some(open), _) => {
                if open == character && before != '\\' {
                    quote = None;
                }
            }
            (None, '\'' | '"') if before != '\\' => {
                quote = Some(character);
                start.get_or_insert(at);
            }
            (None, ';' | '&' | '|' | '(' | '`') if before != '\\' => {
                end_word(&mut start, at, &mut expects);
                // `2>&1` is no command's end.
                expects = !(character == '&' && matches!(before, '>' | '<'));
            }
            (None, ')') => {
                end_word(&mut start, at, &mut expects);
                // The pattern of a `case` ends here, or a substitution.
                expects = true;
            }
            (None, white) if white.is_whitespace() => end_word(&mut start, at, &mut expects),
            _ => {
                start.get_or_insert(at);
            }
        }
        before = character;
    }
    end_word(&mut start, line.len(), &mut expects);
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a script lacks to be complete: the end of a quote, an `if`, a loop or a `case`; `None` when nothing is missing, or
/// when it cannot be told. Looks at the outermost level only; what is in substitutions ends with them.
pub(super) fn incomplete(script: &str) -> Option<String> {
    let mut scanner = Scanner { rest: script.chars().collect::<Vec<_>>().into_iter().peekable(), line: 1 };
    let words = match scanner.words() {
        Ok(words) => words,
        Err(Unclosed::Quote(line)) => return Some(format!("the quote in line {line} is never closed")),
        Err(Unclosed::Substitution) => return None,
    };
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (word, line) in &words {
        let closes = match word.as_str() {
            "if" => {
                open.push(("if", *line));
                continue;
            }
            "do" => {
                open.push(("do", *line));
                continue;
            }
            "case" => {
                open.push(("case", *line));
                continue;
            }
            "fi" => "if",
            "done" => "do",
            "esac" => "case",
            _ => continue,
        };
        match open.pop() {
            Some((opened, _)) if opened == closes => {}
            Some((opened, at)) => {
                return Some(format!("`{word}` in line {line} does not close `{opened}` of line {at}"));
            }
            None => return Some(format!("`{word}` in line {line} closes nothing")),
        }
    }
    open.pop().map(|(opened, line)| format!("`{opened}` in line {line} is never closed"))
}

/// What reached the end of the script.
enum Unclosed {
    /// A quote that begins in this line.
    Quote(usize),
    /// A substitution.
    Substitution,
}

/// Finds the words in command position of a whole script.
struct Scanner {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    line: usize,
}

impl Scanner {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn words(&mut self) -> Result<Vec<(String, usize)>, Unclosed> {
        let mut words = Vec::new();
        let (mut word, mut quoted) = (String::new(), false);
        let (mut expects, mut arguments, mut documents) = (true, 0_usize, Vec::<String>::new());
        loop {
            let next = self.next();
            let ends = next.is_none_or(|next| next.is_whitespace() || ";&|()<>".contains(next));
            if ends && (!word.is_empty() || quoted) {
                let line = self.line - usize::from(next == Some('\n'));
                if expects {
                    arguments = 0;
                    expects = !quoted && is_followed_by_command(&word);
                    // What ends with a parenthesis right after it may be the pattern of a `case`.
                    let pattern = next == Some(')') && matches!(word.as_str(), "if" | "do" | "case");
                    words.push((if quoted || pattern { String::new() } else { word.clone() }, line));
                } else {
                    // `for x do` repeats for the script's arguments; in `for x in a do b` it is a word.
                    arguments += 1;
                    if word == "do" && arguments == 2 && words.last().is_some_and(|(last, _)| last == "for") {
                        words.push((word.clone(), line));
                        expects = true;
                    }
                }
                word.clear();
                quoted = false;
            }
            match next {
                None => return Ok(words),
                Some('\\') => {
                    // A line that goes on, or a character that means itself.
                    if self.next() != Some('\n') {
                        quoted = true;
                    }
                }
                Some('\'') => {
                    quoted = true;
                    let line = self.line;
                    loop {
                        match self.next() {
                            None => return Err(Unclosed::Quote(line)),
                            Some('\'') => break,
                            Some(_) => {}
                        }
                    }
                }
                Some('"') => {
                    quoted = true;
                    self.double_quoted()?;
                }
                Some('`') => {
                    quoted = true;
                    self.until('`')?;
                }
                Some('$') => {
                    word.push('$');
                    self.substitution()?;
                }
                Some('#') if word.is_empty() && !quoted => {
                    while self.rest.peek().is_some_and(|next| *next != '\n') {
                        self.next();
                    }
                }
                Some('\n') => {
                    expects = true;
                    for end in std::mem::take(&mut documents) {
                        self.skip_document(&end);
                    }
                }
                Some(';' | '&' | '|' | '(' | ')') => expects = true,
                Some('<') if self.rest.peek() == Some(&'<') => {
                    self.next();
                    if let Some(end) = self.document() {
                        documents.push(end);
                    }
                }
                Some('<' | '>') => {
                    // The file of a redirection is no command.
                    while self.rest.peek().is_some_and(|next| matches!(next, '&' | '>' | '|' | ' ')) {
                        self.next();
                    }
                    if expects {
                        self.skip_word()?;
                    }
                }
                Some(white) if white.is_whitespace() => {}
                Some(other) => word.push(other),
            }
        }
    }

    /// One word that is of no interest.
    fn skip_word(&mut self) -> Result<(), Unclosed> {
        while let Some(next) = self.rest.peek().copied() {
            match next {
                '"' => {
                    self.next();
                    self.double_quoted()?;
                }
                next if next.is_whitespace() || ";&|()<>".contains(next) => break,
                _ => {
                    self.next();
                }
            }
        }
        Ok(())
    }

    /// After `"`, to its end.
    fn double_quoted(&mut self) -> Result<(), Unclosed> {
        let line = self.line;
        loop {
            match self.next() {
                None => return Err(Unclosed::Quote(line)),
                Some('"') => return Ok(()),
                Some('\\') => {
                    self.next();
                }
                Some('`') => self.until('`')?,
                Some('$') => self.substitution()?,
                Some(_) => {}
            }
        }
    }

    /// After `$`: what is in parentheses or braces, if anything is.
    fn substitution(&mut self) -> Result<(), Unclosed> {
        let (open, close) = match self.rest.peek() {
            Some('(') => ('(', ')'),
            Some('{') => ('{', '}'),
            _ => return Ok(()),
        };
        let mut depth = 0_usize;
        loop {
            match self.next() {
                None => return Err(Unclosed::Substitution),
                Some('\\') => {
                    self.next();
                }
                // In braces within double quotes an apostrophe is one.
                Some('\'') if open == '(' => self.until('\'')?,
                Some('"') => self.double_quoted().map_err(|_| Unclosed::Substitution)?,
                Some('`') => self.until('`')?,
                Some('$') if self.rest.peek().is_some_and(|next| matches!(next, '(' | '{')) => self.substitution()?,
                Some(next) if next == open => depth += 1,
                Some(next) if next == close => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn until(&mut self, end: char) -> Result<(), Unclosed> {
        loop {
            match self.next() {
                None => return Err(Unclosed::Substitution),
                Some('\\') if end == '`' => {
                    self.next();
                }
                Some(next) if next == end => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// The word that ends a here-document, after `<<`.
    fn document(&mut self) -> Option<String> {
        while self.rest.peek().is_some_and(|next| matches!(next, '-' | ' ' | '\t')) {
            self.next();
        }
        let mut end = String::new();
        while let Some(next) = self.rest.peek().copied() {
            if next.is_whitespace() || ";&|<>()".contains(next) {
                break;
            }
            if !"'\"\\".contains(next) {
                end.push(next);
            }
            self.next();
        }
        Some(end).filter(|end| !end.is_empty())
    }

    fn skip_document(&mut self, end: &str) {
        loop {
            let mut line = String::new();
            loop {
                match self.next() {
                    None => return,
                    Some('\n') => break,
                    Some(next) => line.push(next),
                }
            }
            if line.trim_start_matches('\t') == end {
                return;
            }
        }
    }
}

/// Reserved words after which a command begins, and assignments.
fn is_followed_by_command(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "!" | "{" | "}" | "fi" | "done" | "esac"
    ) || word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether `word` stands in `text` with no letter, digit, `-`, `_`, `.` or `@` beside it.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let beside = |character: Option<char>| {
        character.is_some_and(|character| character.is_alphanumeric() || "-_.@".contains(character))
    };
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
            !beside(before) && !beside(after)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_here_documents_are_no_code() {
        let script = "#!/bin/sh\nset -e # stop\ncat <<'EOF' >x\n/usr/bin/evil\nEOF\necho \"a # b\" ${x#y}\n";
        let lines: Vec<&str> = lines(script).into_iter().map(|line| line.text).collect();
        assert_eq!(lines, ["set -e", "cat <<'EOF' >x", "echo \"a # b\" ${x#y}"]);
    }

    #[test]
    fn commands_are_told_from_their_arguments() {
        assert_eq!(commands("if [ -x /usr/bin/a ] && /usr/bin/a --b; then c; fi"), ["[", "/usr/bin/a", "c", "fi"]);
        assert_eq!(commands("A=1 b 'x;y' \"z|w\" >/dev/null 2>&1 || true"), ["b", "true"]);
        assert_eq!(commands("x=$(/bin/date)"), ["/bin/date"]);
        assert_eq!(commands("\tremove) rm -f x ;;"), ["remove", "rm"]);
    }

    #[test]
    fn a_word_is_not_found_within_another() {
        assert!(has_word("adduser --system redis", "redis") && has_word("user='redis'", "redis"));
        assert!(!has_word("redis-server", "redis") && !has_word("predis", "redis"));
    }

    /// The maintainer scripts of a Debian system are what the shell takes.
    #[test]
    fn scripts_that_are_installed_on_this_machine_are_complete() {
        let Ok(directory) = fs_err::read_dir("/var/lib/dpkg/info") else { return };
        for path in directory.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            let script =
                ["preinst", "postinst", "prerm", "postrm"].iter().any(|name| path.extension() == Some(name.as_ref()));
            let Some(text) = script.then(|| fs_err::read_to_string(&path).ok()).flatten() else { continue };
            if text.starts_with("#!/bin/sh") || text.starts_with("#! /bin/sh") {
                assert_eq!(incomplete(&text), None, "{}", path.display());
            }
        }
    }

    #[test]
    fn what_is_opened_and_never_closed_is_named() {
        for (script, problem) in [
            ("if a; then b; fi\nfor x in if do; do echo 'fi'; done\ncase $1 in\n if) c;; esac\n", None),
            ("cat <<EOF\nif\n\"\nEOF\necho \"$(if a; then echo \"b\"; fi)\" ${x#\"y\"} it\\'s # don't\n", None),
            ("x=`echo \"a\"`; while read -r l; do :; done <f\n", None),
            ("set -e\nif [ -e x ]; then\n  y\n", Some("`if` in line 2 is never closed")),
            ("for x in a; do y; fi\n", Some("`fi` in line 1 does not close `do` of line 1")),
            ("echo a\ndone\n", Some("`done` in line 2 closes nothing")),
            ("echo 'a\nb\n", Some("the quote in line 1 is never closed")),
            ("echo \"a\n", Some("the quote in line 1 is never closed")),
        ] {
            assert_eq!(incomplete(script).as_deref(), problem, "{script}");
        }
    }
}

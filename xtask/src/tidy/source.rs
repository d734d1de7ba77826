//! Rust source as the rules see it: words and marks without comments and without what stands inside of literals, and
//! the paths that they spell.
//!
//! This is no parser. It knows just enough to tell code from prose, tests from the rest, and `use` trees from
//! expressions, so that a rule such as "nobody says `std::fs`" means the code and not a sentence about it.

/// A word (identifier, keyword, number) or a mark, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    /// The word, `::`, or a mark of one character.
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Whether it only exists in a test build.
    pub(super) origin: Origin,
}

/// For whom code is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// For everybody.
    Production,
    /// Under `#[cfg(test)]`, or in a folder of tests.
    Test,
}

/// A path as it is spelled, or as a `use` tree amounts to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Path {
    /// The words between the `::`.
    pub(super) segments: Vec<String>,
    /// Where its last word stands, counted from 1.
    pub(super) line: usize,
    /// For whom it is compiled.
    pub(super) origin: Origin,
}

impl Path {
    /// Whether it begins with these words.
    pub(super) fn begins_with(&self, words: &[&str]) -> bool {
        self.segments.len() >= words.len() && self.segments.iter().zip(words).all(|(segment, word)| segment == word)
    }

    /// Whether these words stand in it, next to each other.
    pub(super) fn contains(&self, words: &[&str]) -> bool {
        self.segments.windows(words.len()).any(|window| window.iter().zip(words).all(|(segment, word)| segment == word))
    }
}

/// The tokens of a file. `whole` is the origin of the file itself.
pub(super) fn tokens(text: &str, whole: Origin) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = Cursor { chars: text.chars().collect(), at: 0, line: 1 };
    while let Some(c) = rest.peek(0) {
        let line = rest.line;
        if c == '/' && rest.peek(1) == Some('/') {
            rest.skip_while(|c| c != '\n');
        } else if c == '/' && rest.peek(1) == Some('*') {
            rest.skip_block_comment();
        } else if c == '"' {
            rest.skip_string();
        } else if c == '\'' {
            rest.skip_char_or_lifetime();
        } else if let Some(hashes) = rest.raw_string_ahead() {
            rest.skip_raw_string(hashes);
        } else if matches!(c, 'b' | 'c') && rest.peek(1) == Some('"') {
            rest.skip(1);
            rest.skip_string();
        } else if c == 'b' && rest.peek(1) == Some('\'') {
            rest.skip(1);
            rest.skip_char_or_lifetime();
        } else if c.is_alphanumeric() || c == '_' {
            tokens.push(Token { text: rest.word(), line, origin: whole });
        } else if c == ':' && rest.peek(1) == Some(':') {
            rest.skip(2);
            tokens.push(Token { text: "::".into(), line, origin: whole });
        } else {
            rest.skip(1);
            if !c.is_whitespace() {
                tokens.push(Token { text: c.into(), line, origin: whole });
            }
        }
    }
    mark_tests(&mut tokens);
    tokens
}

/// All paths of a file: each `use` tree taken apart, and what expressions and types spell.
pub(super) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" {
            at = use_tree(tokens, at + 1, &mut paths);
        } else if is_word(&tokens[at]) {
            let mut segments = vec![tokens[at].text.clone()];
            while tokens.get(at + 1).is_some_and(|t| t.text == "::") && tokens.get(at + 2).is_some_and(is_word) {
                at += 2;
                segments.push(tokens[at].text.clone());
            }
            paths.push(Path { segments, line: tokens[at].line, origin: tokens[at].origin });
            at += 1;
        } else {
            at += 1;
        }
    }
    paths
}

/// Takes apart what follows a `use`, up to its `;`. Returns where to go on. A stack of prefixes, not recursion: how deep
/// a tree nests is the file's choice.
fn use_tree(tokens: &[Token], from: usize, paths: &mut Vec<Path>) -> usize {
    let mut outer: Vec<Vec<String>> = Vec::new();
    let mut current: Vec<String> = Vec::new();
    let mut spelled = false; // whether `current` holds words of its own beyond the prefix
    let mut last = None;
    let mut at = from;
    let finish = |current: &[String], spelled: bool, last: Option<&Token>, paths: &mut Vec<Path>| {
        if let (true, Some(last)) = (spelled, last) {
            paths.push(Path { segments: current.to_vec(), line: last.line, origin: last.origin });
        }
    };
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text.as_str() {
            ";" => break,
            "{" => {
                outer.push(current.clone());
                spelled = false;
            }
            "," | "}" => {
                finish(&current, spelled, last, paths);
                spelled = false;
                current = outer.last().cloned().unwrap_or_default();
                if token.text == "}" {
                    outer.pop();
                }
            }
            // The new name is no path.
            "as" => at += 1,
            "::" => {}
            word => {
                current.push(word.into());
                spelled = true;
                last = Some(token);
            }
        }
    }
    finish(&current, spelled, last, paths);
    at
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Finds each `#[cfg(test)]` (also `all(test, ..)`, `any(test, ..)`) and marks the item that follows it.
fn mark_tests(tokens: &mut [Token]) {
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = test_attribute(tokens, at) else {
            at += 1;
            continue;
        };
        let item_end = item_end(tokens, end);
        for token in &mut tokens[at..item_end] {
            token.origin = Origin::Test;
        }
        at = item_end;
    }
}

/// Where an attribute that begins here ends, if it makes its item a part of test builds only.
fn test_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let text = |offset: usize| tokens.get(at + offset).map(|token| token.text.as_str());
    if (text(0), text(1), text(2), text(3)) != (Some("#"), Some("["), Some("cfg"), Some("(")) {
        return None;
    }
    let end = closing(tokens, at + 1)?;
    let inside = &tokens[at + 4..end];
    let names_test = inside.iter().any(|token| token.text == "test");
    let denies = inside.iter().any(|token| token.text == "not");
    (names_test && !denies).then_some(end + 1)
}

/// Where the item that begins here ends: behind its block, or behind its `;`.
fn item_end(tokens: &[Token], from: usize) -> usize {
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" => return closing(tokens, at).map_or(tokens.len(), |end| end + 1),
            "(" | "[" => at = closing(tokens, at).unwrap_or(tokens.len()),
            _ => {}
        }
        at += 1;
    }
    tokens.len()
}

/// The bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

struct Cursor {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Cursor {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.skip(1);
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        self.chars[start..self.at].iter().collect()
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                return;
            }
        }
    }

    /// `'a'`, `'\n'` and `'\u{1F980}'` end with a quote; `'static` doesn't.
    fn skip_char_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            self.skip(3);
            self.skip_while(|c| c != '\'');
            self.skip(1);
        } else if self.peek(2) == Some('\'') {
            self.skip(3);
        } else {
            self.skip(1);
            self.word();
        }
    }

    /// How many hashes open the raw string that begins here, if one does.
    fn raw_string_ahead(&self) -> Option<usize> {
        let r = match (self.peek(0)?, self.peek(1)) {
            ('r', _) => 0,
            ('b' | 'c', Some('r')) => 1,
            _ => return None,
        };
        let mut hashes = 0;
        while self.peek(r + 1 + hashes) == Some('#') {
            hashes += 1;
        }
        (self.peek(r + 1 + hashes) == Some('"')).then_some(hashes)
    }

    fn skip_raw_string(&mut self, hashes: usize) {
        self.skip_while(|c| c != '"');
        self.skip(1);
        while self.peek(0).is_some() {
            let closes = self.peek(0) == Some('"') && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            self.skip(1);
            if closes {
                self.skip(hashes);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text, Origin::Production).into_iter().filter(is_word).map(|token| token.text).collect()
    }

    fn spelled(text: &str) -> Vec<String> {
        paths(&tokens(text, Origin::Production)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    /// Prose may speak of what code must not do.
    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(words("a // std::fs\n/* b /* c */ d */ e \"f \\\" g\" h"), ["a", "e", "h"]);
        assert_eq!(words(r##"a r#"b " c"# d br"e" f b"g" h c"i" j"##), ["a", "d", "f", "h", "j"]);
        assert_eq!(words(r"a 'b' '\'' '\u{41}' b'c' d fn e<'f>(x: &'f str)"), ["a", "d", "fn", "e", "x", "str"]);
    }

    #[test]
    fn lines_are_counted_through_comments_and_literals() {
        let lines: Vec<usize> =
            tokens("a\n/*\n*/ b\n\"\n\\\n\" c\nr\"\n\" d", Origin::Production).iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 6, 8]);
    }

    /// `use std::{fs, io}` names `std::fs` as much as `use std::fs` does.
    #[test]
    fn use_trees_are_taken_apart() {
        assert_eq!(
            spelled("use std::{fs, io::{self, Read}, time::{Duration, Instant as Now}}; a::b(c);"),
            ["std::fs", "std::io::self", "std::io::Read", "std::time::Duration", "std::time::Instant", "a::b", "c"]
        );
        assert_eq!(spelled("use a; use b::*; pub(crate) use c::d;"), ["a", "b::*", "pub", "crate", "c::d"]);
    }

    #[test]
    fn an_item_under_cfg_test_is_a_test_and_its_neighbours_are_not() {
        let text = "fn a() {} #[cfg(test)] mod tests { fn b() { c(); } } fn d() {} #[cfg(all(test, unix))] use e; \
                    #[cfg(not(test))] fn f() {} #[cfg(test)] #[allow(x)] fn g(h: [u8; 4]) { i } fn j() {}";
        let tests: Vec<String> = tokens(text, Origin::Production)
            .into_iter()
            .filter(|token| token.origin == Origin::Test && token.text.len() == 1 && is_word(token))
            .map(|token| token.text)
            .collect();
        assert_eq!(tests, ["b", "c", "e", "x", "g", "h", "i"]);
    }
}

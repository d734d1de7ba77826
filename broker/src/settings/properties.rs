//! Java's properties files (`java.util.Properties.load`): lines of `name=value`, as Kafka's `server.properties` has them.
//!
//! A name ends at the first `=`, `:` or blank that no backslash protects; a line that ends in a backslash goes on in the
//! next; `#` and `!` open a comment; `\t \n \r \f \uXXXX` mean what they mean in Java, a backslash before anything else
//! is dropped. Java reads Latin-1; we read UTF-8 where the file is UTF-8, because that is what people write today.

use std::fmt;

/// The largest file that is read, in bytes; Kafka's own is 7 KiB.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// A line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// What stands before the separator.
    pub name: String,
    /// What stands behind it, blanks at its end included.
    pub value: String,
    /// Where it begins: 1 is the first line.
    pub line: usize,
}

/// Why a file can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadProperties {
    /// It is larger than [`FILE_BYTES_MAX`].
    TooLarge,
    /// `\u` without four hexadecimal digits behind it, or half of a pair.
    Escape {
        /// The line, from 1.
        line: usize,
    },
}

impl fmt::Display for BadProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadProperties::TooLarge => write!(f, "larger than {FILE_BYTES_MAX} bytes: is this a properties file?"),
            BadProperties::Escape { line } => {
                write!(f, "line {line}: \\u wants four hexadecimal digits; write a backslash twice to mean one")
            }
        }
    }
}

impl std::error::Error for BadProperties {}

/// Reads a file's bytes; gives all its properties in order, where the last of a name counts.
pub fn parse(bytes: &[u8]) -> Result<Vec<Property>, BadProperties> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(BadProperties::TooLarge);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    logical_lines(&text).into_iter().map(|(line, text)| property(line, &text)).collect()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// Joins continued lines and drops comments and empty ones; a backslash inside a line is left for [`property`].
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (at, natural) in natural_lines(text).enumerate() {
        let content = natural.trim_start_matches(is_blank);
        if !continues && (content.is_empty() || content.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = content.len() - content.trim_end_matches('\\').len();
        let open = backslashes % 2 == 1;
        let content = if open { &content[..content.len() - 1] } else { content };
        match lines.last_mut() {
            Some((_, line)) if continues => line.push_str(content),
            _ => lines.push((at + 1, content.to_owned())),
        }
        continues = open;
    }
    lines
}

/// Lines as Java parts them: at `\n`, `\r` and `\r\n`.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn property(line: usize, text: &str) -> Result<Property, BadProperties> {
    let mut escaped = false;
    let end = text.find(|c: char| {
        let ends = !escaped && (is_blank(c) || c == '=' || c == ':');
        escaped = !escaped && c == '\\';
        ends
    });
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(is_blank);
    Ok(Property { name: unescape(line, name)?, value: unescape(line, value)?, line })
}

fn unescape(line: usize, text: &str) -> Result<String, BadProperties> {
    // Java's chars are halves of UTF-16: a pair of \u escapes may stand for one character.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                None => continue,
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let is_hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit.ok_or(BadProperties::Escape { line })?);
                    continue;
                }
                Some(other) => other,
            },
            other => other,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).map_err(|_| BadProperties::Escape { line })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).unwrap().into_iter().map(|p| (p.name, p.value)).collect()
    }

    /// What `java.util.Properties` makes of each line.
    #[test]
    fn a_line_means_what_java_takes_it_to_mean() {
        for (text, name, value) in [
            ("a=1\\\n  2", "a", "12"),
            ("b : x", "b", "x"),
            ("c y z", "c", "y z"),
            ("d", "d", ""),
            ("=v", "", "v"),
            (" e\\=f=g\\u0041\\t|", "e=f", "gA\t|"),
            ("k==v", "k", "=v"),
            ("l = = v", "l", "= v"),
            ("m:\\\n", "m", ""),
            ("n=a\\zb\\\\", "n", "azb\\"),
            ("o=trail  ", "o", "trail  "),
            ("q=x\\\r\n\ty", "q", "xy"),
            ("r\u{c}s", "r", "s"),
            ("t=end\\", "t", "end"),
            ("u=\\ud83d\\ude00", "u", "\u{1f600}"),
        ] {
            assert_eq!(pairs(text), [(name.to_owned(), value.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn comments_are_skipped_and_never_go_on() {
        assert_eq!(pairs("!c\n#d\\\nh=1\n\n   # e\n"), [("h".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_line_is_known_by_its_number_so_that_a_complaint_can_name_it() {
        let read = parse(b"# one\r\n\r\na=1\\\n2\nb=3").unwrap();
        assert_eq!(read.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(parse(b"a=1\nb=\\u12G4"), Err(BadProperties::Escape { line: 2 }));
        assert_eq!(parse(b"a=1\nb=\\u12"), Err(BadProperties::Escape { line: 2 }));
        assert_eq!(parse(b"half=\\ud83d"), Err(BadProperties::Escape { line: 1 }));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_latin_1_as_in_java() {
        assert_eq!(pairs("log.dirs=/gr\u{f6}\u{df}e")[0].1, "/gr\u{f6}\u{df}e");
        assert_eq!(parse(b"log.dirs=/gr\xf6\xdfe").unwrap()[0].value, "/gr\u{f6}\u{df}e");
    }

    #[test]
    fn a_file_without_end_is_refused() {
        assert_eq!(parse(&vec![b'a'; FILE_BYTES_MAX + 1]), Err(BadProperties::TooLarge));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(read) = parse(&bytes) {
                let held: usize = read.iter().map(|p| p.name.len() + p.value.len()).sum();
                prop_assert!(held <= 2 * bytes.len());
            }
        }

        #[test]
        fn what_is_escaped_is_read_back(name in "[a-z .=:#!\\\\]{1,12}", value in "[^\u{0}-\u{1f}]{0,20}") {
            let escape = |text: &str| text.chars().fold(String::new(), |line, c| match c {
                ' ' | '=' | ':' | '#' | '!' | '\\' => format!("{line}\\{c}"),
                _ => format!("{line}{c}"),
            });
            let read = pairs(&format!("{}={}", escape(&name), escape(&value)));
            prop_assert_eq!(read, [(name, value)]);
        }
    }
}

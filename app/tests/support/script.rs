//! Transcripts: what is typed at a terminal and what comes, in Markdown files that people read, too.
//!
//! In a fence ```` ```console ```` a line that begins with `$ ` is typed, with its stdin up to the word after `<<` where it has
//! one; what follows is what it prints, stdout and stderr as they come, and `[exit 4]` where that isn't 0. A line that begins
//! with `% ` is done behind the scene (`stage`). What varies stands as a mask: `<id>` (Kafka's 22 characters), `<time>`, `<n>`
//! (a number), `<span>` (`3d 4h`), `<word>`, `<any>`; a line `...` is any lines. Where a step has masks, two spaces are as good
//! as more. A fence ```` ```console thalweg ```` is only for our broker, ```` ```console kafka ```` only for a real Kafka; other fences are for people alone.

use std::fmt::Write;

/// Whose answer it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broker {
    Thalweg,
    Kafka,
}

/// A file, in order.
#[derive(Debug)]
pub struct Script {
    pub pieces: Vec<Piece>,
}

#[derive(Debug)]
pub enum Piece {
    /// For people.
    Line(String),
    Step(Step),
}

/// What is typed, and what comes.
#[derive(Clone, Debug)]
pub struct Step {
    /// In its file, from 1.
    pub line: usize,
    pub only: Option<Broker>,
    /// Without `$ ` or `% `.
    pub typed: String,
    /// Whether it is done behind the scene.
    pub is_direction: bool,
    /// With the word that ends it.
    pub stdin: Option<(String, Vec<String>)>,
    pub expected: Vec<String>,
}

/// What is shown in a fence.
#[derive(Clone, Copy)]
enum Fence {
    /// A terminal.
    Console(Option<Broker>),
    /// Something that nobody types here.
    Other,
}

impl Script {
    pub fn parse(text: &str) -> Script {
        let mut pieces = Vec::new();
        let mut fence: Option<Fence> = None;
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                fence = match (&fence, info) {
                    (Some(_), _) => None,
                    (None, "console thalweg") => Some(Fence::Console(Some(Broker::Thalweg))),
                    (None, "console kafka") => Some(Fence::Console(Some(Broker::Kafka))),
                    (None, "console") => Some(Fence::Console(None)),
                    (None, other) if other.starts_with("console") => panic!("line {}: a fence of {other}", at + 1),
                    (None, _) => Some(Fence::Other),
                };
                pieces.push(Piece::Line(line.to_owned()));
                continue;
            }
            let Some(Fence::Console(only)) = fence else {
                pieces.push(Piece::Line(line.to_owned()));
                continue;
            };
            let typed = line.strip_prefix("$ ").or_else(|| line.strip_prefix("% "));
            match (typed, pieces.last_mut()) {
                (Some(typed), _) => {
                    let word = typed.split_once(" <<").map(|(_, word)| word.to_owned());
                    let stdin = word.map(|word| {
                        let given = lines.by_ref().map(|(_, line)| line.to_owned()).take_while(|line| *line != word);
                        let given = given.collect();
                        (word, given)
                    });
                    let is_direction = line.starts_with('%');
                    let (typed, expected) = (typed.to_owned(), Vec::new());
                    pieces.push(Piece::Step(Step { line: at + 1, only, typed, is_direction, stdin, expected }));
                }
                (None, Some(Piece::Step(step))) => step.expected.push(line.to_owned()),
                (None, _) => panic!("line {}: nothing was typed yet", at + 1),
            }
        }
        Script { pieces }
    }

    pub fn render(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Line(line) => writeln!(text, "{line}").unwrap(),
                Piece::Step(step) => {
                    writeln!(text, "{} {}", if step.is_direction { '%' } else { '$' }, step.typed).unwrap();
                    if let Some((word, given)) = &step.stdin {
                        given.iter().for_each(|line| writeln!(text, "{line}").unwrap());
                        writeln!(text, "{word}").unwrap();
                    }
                    step.expected.iter().for_each(|line| writeln!(text, "{line}").unwrap());
                }
            }
        }
        text
    }
}

impl Step {
    /// What was typed as arguments: quotes hold words together.
    pub fn words(&self) -> Vec<String> {
        let typed = self.typed.split(" <<").next().unwrap();
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for each in typed.chars() {
            match (quote, each) {
                (Some(open), each) if open == each => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(each);
                    word.get_or_insert_default();
                }
                (None, ' ') => words.extend(word.take()),
                (_, each) => word.get_or_insert_default().push(each),
            }
        }
        assert_eq!(quote, None, "line {}: a quote is open", self.line);
        words.extend(word);
        words
    }

    /// Whether this is what was expected.
    pub fn fits(&self, said: &[String]) -> bool {
        let has_masks = self.expected.iter().any(|line| MASKS.iter().any(|mask| line.contains(mask)));
        all_fit(&self.expected, said, has_masks)
    }

    /// What was expected, brought up to date: lines that still fit keep their masks, and what always varies gets one.
    pub fn update(&mut self, said: &[String]) {
        if self.fits(said) {
            return;
        }
        let kept = |at: usize, line: &String| self.expected.get(at).filter(|old| fits(old, line)).cloned();
        let lines = said.iter().enumerate().map(|(at, line)| kept(at, line).unwrap_or_else(|| masked(line)));
        self.expected = lines.collect();
    }
}

fn all_fit(expected: &[String], said: &[String], is_loose: bool) -> bool {
    match (expected.split_first(), said.split_first()) {
        (None, None) => true,
        (Some((first, rest)), said_any) if first == "..." => {
            all_fit(rest, said, is_loose) || said_any.is_some_and(|(_, after)| all_fit(expected, after, is_loose))
        }
        (Some((first, rest)), Some((line, after))) => {
            let is_same = if is_loose { fits(&squeezed(first), &squeezed(line)) } else { first == line };
            is_same && all_fit(rest, after, is_loose)
        }
        _ => false,
    }
}

const MASKS: &[&str] = &["<id>", "<time>", "<n>", "<span>", "<word>", "<any>"];

/// The length of the prefixes of a text that a mask stands for, the longest first.
fn stands_for(mask: &str, text: &str) -> Vec<usize> {
    let while_all = |fits: fn(char) -> bool| text.find(|each| !fits(each)).unwrap_or(text.len());
    let up_to = |most: usize, least: usize| (least..=most).rev().filter(|at| text.is_char_boundary(*at)).collect();
    match mask {
        "<id>" => Some(22).filter(|length| while_all(is_of_id) >= *length).into_iter().collect(),
        "<time>" => {
            Some("2026-01-31T12:00:00.000Z".len()).filter(|length| is_time(text, *length)).into_iter().collect()
        }
        "<n>" => up_to(while_all(|each| each.is_ascii_digit() || each == '-'), 1),
        "<span>" => up_to(while_all(|each| each.is_ascii_digit() || " dhms".contains(each)), 2),
        "<word>" => up_to(while_all(|each| !each.is_whitespace()), 1),
        _ => up_to(text.len(), 0),
    }
}

fn is_of_id(each: char) -> bool {
    each.is_ascii_alphanumeric() || each == '-' || each == '_'
}

fn is_time(text: &str, length: usize) -> bool {
    let is_like = |(wanted, each): (char, char)| if wanted == '0' { each.is_ascii_digit() } else { wanted == each };
    text.len() >= length && "0000-00-00T00:00:00.000Z".chars().zip(text.chars()).all(is_like)
}

fn fits(expected: &str, said: &str) -> bool {
    let first = MASKS.iter().filter_map(|mask| Some((expected.find(mask)?, *mask))).min();
    let Some((at, mask)) = first else { return expected == said };
    let Some(said) = said.strip_prefix(&expected[..at]) else { return false };
    let rest = &expected[at + mask.len()..];
    stands_for(mask, said).into_iter().any(|length| fits(rest, &said[length..]))
}

/// A line whose columns may be as wide as they like.
fn squeezed(line: &str) -> String {
    let mut squeezed = line.trim_start().to_owned();
    while squeezed.contains("   ") {
        squeezed = squeezed.replace("   ", "  ");
    }
    squeezed
}

/// A line with masks for what is never the same twice.
fn masked(line: &str) -> String {
    let (mut masked, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let before = masked.chars().next_back().is_some_and(is_of_id);
        let id =
            rest.find(|each| !is_of_id(each)).unwrap_or(rest.len()) == 22 && rest[..22].contains(char::is_uppercase);
        let length = match first {
            _ if !before && is_time(rest, 24) => Some(("<time>", 24)),
            _ if !before && id => Some(("<id>", 22)),
            _ => None,
        };
        let (text, length) = length.unwrap_or((&rest[..first.len_utf8()], first.len_utf8()));
        masked.push_str(text);
        rest = &rest[length..];
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let text =
            "# Title\n\n```console thalweg\n$ thalweg 'a b' <<END\none\nEND\nout\n[exit 2]\n% write t 0 x\n```\n";
        let script = Script::parse(text);
        assert_eq!(script.render(), text);
        let Piece::Step(step) = &script.pieces[3] else { panic!("{script:?}") };
        assert_eq!(step.words(), ["thalweg", "a b"]);
        assert_eq!(step.stdin, Some(("END".to_owned(), vec!["one".to_owned()])));
        assert_eq!((step.only, step.expected.len(), step.line), (Some(Broker::Thalweg), 2, 4));
    }

    #[test]
    fn masks_stand_for_what_varies_and_for_nothing_else() {
        let id = "Some_topic-id_AAAAAAAA";
        assert!(fits("id <id>.", &format!("id {id}.")) && !fits("id <id>", "id short"));
        assert!(fits("at <time>", "at 2026-01-31T12:00:00.000Z") && !fits("at <time>", "at noon"));
        assert!(fits("<n> of <n>", "12 of 3") && !fits("<n>", "x"));
        assert!(fits("lag <span>!", "lag 3d 4h!") && fits("<word> b", "a b") && !fits("<word>", "a b"));
        assert_eq!(masked(&format!("t {id} 2026-01-31T12:00:00.000Z")), "t <id> <time>");
    }

    #[test]
    fn dots_are_any_lines() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert!(all_fit(&lines("a\n...\nd"), &lines("a\nb\nc\nd"), false));
        assert!(all_fit(&lines("...\na"), &lines("a"), false));
        assert!(!all_fit(&lines("a\n..."), &lines("b"), false));
    }
}

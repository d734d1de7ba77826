//! What a verb prints: a table for people, JSON for scripts, and a quiet end where nobody reads any more.
//!
//! A listing is one array, a description one object. JSON is spread over lines on a terminal, and on one line elsewhere;
//! tables are the same everywhere, so that what was seen once can be cut and counted.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// The flag by which a verb is told how to print.
#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// A table for people, or JSON for scripts
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    output: Format,
}

/// How what a verb found is printed.
// Its values have no help of their own: the flag's says it all, and the help stays short.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum, Debug)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

/// A line of a listing.
pub(crate) trait Row: Serialize {
    /// The table's columns, in order.
    const COLUMNS: &'static [Column];

    /// What stands in them.
    fn cells(&self) -> Vec<String>;
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Words: from the left.
    Words(&'static str),
    /// Numbers: to the right.
    Number(&'static str),
}

impl Output {
    /// Whether it is for scripts.
    pub(crate) fn is_json(self) -> bool {
        self.output == Format::Json
    }

    /// Prints a listing. Of nothing there is no table, not even its head: that nothing is there is said on stderr.
    pub(crate) fn list<R: Row>(self, rows: &[R], none: &str) -> Result<(), Failure> {
        match self.output {
            Format::Json => self.json(&rows),
            Format::Table if rows.is_empty() => note(none),
            Format::Table => write(&table(rows)),
        }
    }

    /// Prints what was done, a line for each; nothing where nothing was.
    pub(crate) fn report<T: Serialize>(self, done: &[T], line: impl Fn(&T) -> String) -> Result<(), Failure> {
        match self.output {
            Format::Json => self.json(&done),
            Format::Table => write(&done.iter().map(|each| line(each) + "\n").collect::<String>()),
        }
    }

    /// Prints a description: as text that is made for people, or as an object.
    pub(crate) fn describe(self, what: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.output {
            Format::Json => self.json(what),
            Format::Table => write(&text()),
        }
    }

    fn json(self, what: &impl Serialize) -> Result<(), Failure> {
        let written = match io::stdout().is_terminal() {
            true => serde_json::to_string_pretty(what),
            false => serde_json::to_string(what),
        };
        let text = written.map_err(|error| not_json(&error))?;
        write(&(text + "\n"))
    }
}

/// What has no form in JSON.
pub(crate) fn not_json(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, format!("this can't be written as JSON: {error}"), "--output table shows it")
}

/// A table without borders: its head in capitals, two spaces between columns.
pub(crate) fn table<R: Row>(rows: &[R]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(R::COLUMNS.iter().map(|column| match column {
        Column::Words(name) | Column::Number(name) => *name,
    }));
    for row in rows {
        table.add_row(row.cells().iter().map(|cell| printable(cell)));
    }
    for (drawn, column) in table.column_iter_mut().zip(R::COLUMNS) {
        drawn.set_padding((0, 2));
        if let Column::Number(_) = column {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

/// Words of others, such as a client's name for itself, without what would move a terminal's cursor or change its colours.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|each| if each.is_control() { each.escape_default().to_string() } else { each.to_string() })
        .collect()
}

/// Lines of a name and what it is, the second column in line.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    fields
        .iter()
        .map(|(name, what)| format!("  {name:width$}  {}", printable(what)).trim_end().to_owned() + "\n")
        .collect()
}

/// What a cell says: a number, or that there is none.
pub(crate) fn or_dash(number: Option<impl ToString>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// Writes to stdout.
///
/// # Errors
/// A quiet end where nobody reads any more.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_bytes(text.as_bytes())
}

/// The same for what may be no text.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| unwritten(&error))
}

/// What a failed write to stdout means.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::unread(),
        _ => Failure::new(Exit::Failed, format!("can't write to stdout: {error}"), "is there room where it goes?"),
    }
}

/// A word for the person, on stderr: it is not what was asked for, so no script meets it.
pub(crate) fn note(text: &str) -> Result<(), Failure> {
    crate::terminal::complain(&format!("{text}\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct River {
        name: &'static str,
        length_km: u64,
    }

    impl Row for River {
        const COLUMNS: &'static [Column] = &[Column::Words("RIVER"), Column::Number("LENGTH")];

        fn cells(&self) -> Vec<String> {
            vec![self.name.to_owned(), self.length_km.to_string()]
        }
    }

    #[test]
    fn a_table_has_no_borders_and_numbers_stand_at_the_right() {
        let rivers = [River { name: "Isar", length_km: 292 }, River { name: "Donau", length_km: 2857 }];
        assert_eq!(table(&rivers), "RIVER  LENGTH\nIsar      292\nDonau    2857\n");
    }

    #[test]
    fn a_cell_is_never_wrapped_and_no_line_ends_in_spaces() {
        #[derive(Serialize)]
        struct Word(String);
        impl Row for Word {
            const COLUMNS: &'static [Column] = &[Column::Words("A"), Column::Words("B")];
            fn cells(&self) -> Vec<String> {
                vec![self.0.clone(), String::new()]
            }
        }
        let long = "x ".repeat(400);
        assert_eq!(table(&[Word(long.clone())]).lines().nth(1), Some(long.trim_end()));
    }

    #[test]
    fn what_others_call_themselves_can_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{e9}"), "a\\u{1b}[31mb\\nc\u{e9}");
    }

    #[test]
    fn fields_stand_in_line() {
        assert_eq!(fields(&[("id", "x".to_owned()), ("state", String::new())]), "  id     x\n  state\n");
    }
}

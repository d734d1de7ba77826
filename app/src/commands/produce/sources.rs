//! Where records come from: standard input and files, read on a thread that may block, some lines ahead of who sends them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_world::disk::{Disk, DiskFile, Open};
use tokio::sync::mpsc;

use super::record::{Form, Said, Wrong};
use super::split::{Splitter, TooLong};
use super::tally::Place;
use crate::failure::{Exit, Failure};
use crate::quantities::shown_size;

/// Some records, each with where it stands; or why no more come.
pub(super) type Came = Result<Vec<(Place, Said)>, Failure>;

/// What is read ahead, in pieces of at most [`PIECE_BYTES`] and a line.
const AHEAD_MAX: usize = 4;
const PIECE_BYTES: usize = 64 << 10;

/// Something that is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// `-` is standard input.
    pub(super) fn of(path: &Path) -> Source {
        if path == Path::new("-") { Source::Stdin } else { Source::File(path.to_owned()) }
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Source::Stdin => "stdin".to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    fn open(&self, disk: &dyn Disk) -> Result<Reading, Failure> {
        match self {
            Source::Stdin => Ok(Reading::Stdin),
            Source::File(path) => match disk.open(path, Open::Read) {
                Ok(file) => Ok(Reading::File { file, at: 0 }),
                Err(error) => Err(self.unread(&error)),
            },
        }
    }

    fn unread(&self, error: &io::Error) -> Failure {
        // What can't be read at a position, such as a pipe.
        let next = match error.kind() {
            io::ErrorKind::NotSeekable => "what is no plain file comes by stdin: 'thalweg produce TOPIC < FILE'",
            _ => "FILE names files that are there and may be read; '-' is stdin",
        };
        Failure::new(Exit::Usage, format!("can't read {}: {error}", self.name()), next)
    }
}

enum Reading {
    Stdin,
    File { file: Arc<dyn DiskFile>, at: u64 },
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Reading::Stdin => io::stdin().lock().read(into),
            Reading::File { file, at } => {
                let read = file.read_at(into, *at)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

/// What of a source is a record.
#[derive(Clone, Debug)]
pub(super) enum Portion {
    /// A line.
    Lines(Form),
    /// All of it.
    Whole,
}

/// How sources are read.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) portion: Portion,
    /// The longest line, or the largest file.
    pub(super) bytes_max: usize,
}

/// Begins to read. Files that can't be opened are found before anything is sent.
pub(super) fn read(disk: Arc<dyn Disk>, sources: Vec<Source>, rules: Rules) -> Result<mpsc::Receiver<Came>, Failure> {
    for source in &sources {
        source.open(&*disk)?;
    }
    let (give, came) = mpsc::channel(AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        for (number, source) in sources.iter().enumerate() {
            let records = Records { source, number, rules: &rules, give: &give };
            match records.read_all(&*disk) {
                Ok(true) => {}
                // Nobody takes them any more.
                Ok(false) => return,
                Err(failure) => {
                    let _nobody_asks = give.blocking_send(Err(failure));
                    return;
                }
            }
        }
    });
    Ok(came)
}

/// The records of one source.
struct Records<'a> {
    source: &'a Source,
    number: usize,
    rules: &'a Rules,
    give: &'a mpsc::Sender<Came>,
}

impl Records<'_> {
    /// Whether somebody has taken them.
    fn read_all(&self, disk: &dyn Disk) -> Result<bool, Failure> {
        let reading = self.source.open(disk)?;
        match &self.rules.portion {
            Portion::Lines(form) => self.read_lines(reading, form),
            Portion::Whole => self.read_whole(reading),
        }
    }

    fn read_lines(&self, mut reading: Reading, form: &Form) -> Result<bool, Failure> {
        let (mut splitter, mut piece, mut line) = (Splitter::new(self.rules.bytes_max), vec![0; PIECE_BYTES], 0);
        loop {
            let mut input = match reading.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => &piece[..count],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.source.unread(&error)),
            };
            let mut records = Vec::new();
            let wrong = loop {
                match splitter.next(&mut input) {
                    Ok(None) => break None,
                    Ok(Some(text)) => {
                        line += 1;
                        match form.read(text) {
                            Ok(said) => records.extend(said.map(|said| (self.at(line), said))),
                            Err(wrong) => break Some(self.wrong(line, wrong)),
                        }
                    }
                    Err(TooLong) => break Some(self.too_long(line + 1)),
                }
            };
            if !records.is_empty() && !self.give(records) {
                return Ok(false);
            }
            if let Some(failure) = wrong {
                return Err(failure);
            }
        }
        let last =
            splitter.rest().map(|text| form.read(text)).transpose().map_err(|wrong| self.wrong(line + 1, wrong))?;
        Ok(last.flatten().is_none_or(|said| self.give(vec![(self.at(line + 1), said)])))
    }

    fn read_whole(&self, reading: Reading) -> Result<bool, Failure> {
        let mut value = Vec::new();
        let bytes_max = self.rules.bytes_max;
        reading.take(bytes_max as u64 + 1).read_to_end(&mut value).map_err(|error| self.source.unread(&error))?;
        match value.len() > bytes_max {
            true => Err(self.too_long(0)),
            false => Ok(self.give(vec![(self.at(0), Said { value: Some(value), ..Said::default() })])),
        }
    }

    fn at(&self, line: u64) -> Place {
        Place { source: self.number, line }
    }

    fn named(&self, line: u64) -> String {
        match line {
            0 => self.source.name(),
            line => format!("{}:{line}", self.source.name()),
        }
    }

    fn give(&self, records: Vec<(Place, Said)>) -> bool {
        self.give.blocking_send(Ok(records)).is_ok()
    }

    fn wrong(&self, line: u64, Wrong { what, next }: Wrong) -> Failure {
        Failure::new(Exit::Failed, format!("{}: {what}", self.named(line)), next)
    }

    fn too_long(&self, line: u64) -> Failure {
        let what = format!("{}: longer than {}", self.named(line), shown_size(self.rules.bytes_max as u64));
        Failure::new(
            Exit::Failed,
            what,
            "--max-record-bytes allows longer ones, as far as the topic's max.message.bytes does",
        )
    }
}

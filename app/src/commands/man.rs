//! `thalweg man`: the manual, made from the same words as `--help`.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use super::CommandLine;
use crate::failure::{Exit, Failure};
use crate::output;

/// Print the manual page, or write one for each verb into a folder.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// Write thalweg.1, thalweg-topic.1, thalweg-topic-create.1 ... into this folder, which is there already
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  thalweg man | man -l -
      read it
  thalweg man --dir /usr/local/share/man/man1
      install all pages";

impl Man {
    /// Prints or writes the pages.
    pub(super) fn run(self) -> Result<(), Failure> {
        let command = CommandLine::command();
        match self.dir {
            Some(dir) => clap_mangen::generate_to(command, &dir).map_err(|error| {
                let what = format!("can't write manual pages into {}: {error}", dir.display());
                Failure::new(Exit::Failed, what, "--dir names a folder that is there and that may be written to")
            }),
            None => output::write_bytes(&page(command).map_err(|error| output::unwritten(&error))?),
        }
    }
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Page::new(command).render(&mut page)?;
    Ok(page)
}

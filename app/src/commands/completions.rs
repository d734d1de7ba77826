//! `thalweg completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::CommandLine;
use crate::failure::Failure;
use crate::output;

/// Print what a shell needs to complete this command line.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  source <(thalweg completions bash)
      in this shell, now
  thalweg completions zsh > ~/.zfunc/_thalweg
      in every zsh whose fpath has ~/.zfunc
  thalweg completions fish > ~/.config/fish/completions/thalweg.fish
      in every fish";

impl Completions {
    /// Prints the script.
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "thalweg", &mut script);
        output::write_bytes(&script)
    }
}

//! How the program ends other than cleanly: an exit code that scripts can rely on, what went wrong, and what to do next.

use std::fmt;
use std::process::ExitCode;

use thalweg_client::{CallError, ClientError};
use thalweg_wire::ErrorCode;

/// What the exit codes mean, for the end of `thalweg --help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed while running; so did a part of what was asked for
  2    the command line or a setting can't be used, or --yes is missing
  3    no broker can be reached, or none answered in time
  4    the cluster says no: it isn't there, is there already, isn't allowed, or a value is bad
  5    'verify' found damage
  130  interrupted by Ctrl-C before it was done";

/// Why it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Nobody reads what it writes: `thalweg ... | head` has seen enough. No failure.
    Unread = 0,
    /// It could not start, could not go on, or did a part of it only.
    Failed = 1,
    /// The command line, the environment or the configuration file can't be used.
    Usage = 2,
    /// No broker can be reached, or it takes too long.
    Unreachable = 3,
    /// The cluster says no.
    Refused = 4,
    /// `verify` found damage, which is there still.
    Damaged = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

/// Why the program ends other than cleanly, and the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// What went wrong, and what to do next; several where several things were asked for.
    words: Vec<(String, Option<String>)>,
}

impl Failure {
    /// A failure; `next` says what to do about it.
    pub(crate) fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Failure {
        Failure { exit, words: vec![(what.into(), Some(next.into()))] }
    }

    /// A failure whose words say what to do already.
    pub(crate) fn in_one_line(exit: Exit, what: impl Into<String>) -> Failure {
        Failure { exit, words: vec![(what.into(), None)] }
    }

    /// What became of several things, of which some went well: [`Exit::Failed`] if some did and some didn't; else as they
    /// failed, if all failed alike.
    pub(crate) fn of_several(done: usize, failures: Vec<Failure>) -> Result<(), Failure> {
        let Some(first) = failures.first() else { return Ok(()) };
        let is_one_kind = failures.iter().all(|failure| failure.exit == first.exit);
        let exit = if done == 0 && is_one_kind { first.exit } else { Exit::Failed };
        Err(Failure { exit, words: failures.into_iter().flat_map(|failure| failure.words).collect() })
    }

    /// Nobody reads any more: a quiet end.
    pub(crate) fn unread() -> Failure {
        Failure { exit: Exit::Unread, words: Vec::new() }
    }

    /// Ctrl-C.
    pub(crate) fn interrupted() -> Failure {
        let next = "what the cluster was asked for already may still be done: look before asking again";
        Failure::new(Exit::Interrupted, "interrupted before it was done", next)
    }

    /// The cluster says no to something: `what` it was and why, the way out by Kafka's code.
    pub(crate) fn refused(code: ErrorCode, what: impl Into<String>) -> Failure {
        Failure::new(Exit::Refused, what, way_out(code))
    }

    /// What to do next, where the place knows better than the code.
    #[must_use]
    pub(crate) fn but(mut self, next: impl Into<String>) -> Failure {
        if let Some((_, last)) = self.words.last_mut() {
            *last = Some(next.into());
        }
        self
    }

    /// Whether it is a quiet end.
    pub(crate) fn is_unread(&self) -> bool {
        self.exit == Exit::Unread
    }

    /// One more thing that went wrong; it ends as it would have.
    #[must_use]
    pub(crate) fn also(mut self, more: Failure) -> Failure {
        self.words.extend(more.words);
        self
    }

    /// Why it ends.
    #[cfg(test)]
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// With what the process ends.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

/// `thalweg: what went wrong`, and below it what to do next; nothing where nobody reads.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, next) in &self.words {
            writeln!(f, "thalweg: {what}")?;
            if let Some(next) = next {
                writeln!(f, "  {next}")?;
            }
        }
        Ok(())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match error {
            ClientError::Call(error) => error.into(),
            ClientError::NoBroker(_) => Failure::new(Exit::Unreachable, error.to_string(), NOBODY_THERE),
            ClientError::TimedOut(_) => Failure::new(Exit::Unreachable, error.to_string(), TOO_SLOW),
            ClientError::Refused { code, what } => Failure::refused(code, said(&what, code)),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        let (exit, next) = match error {
            CallError::Lost(_) => (Exit::Unreachable, NOBODY_THERE),
            CallError::Busy | CallError::TimedOut => (Exit::Unreachable, TOO_SLOW),
            CallError::Unsupported(_) | CallError::Inexpressible(_) => {
                (Exit::Refused, "the broker is too old for this: 'thalweg cluster status' shows what it is")
            }
            CallError::Malformed(_) => {
                (Exit::Failed, "is there a Kafka broker at this address, and not something else?")
            }
        };
        Failure::new(exit, error.to_string(), next)
    }
}

const NOBODY_THERE: &str =
    "--bootstrap HOST:PORT says where a broker is, as does THALWEG_BOOTSTRAP; 'thalweg serve' starts one here";

const TOO_SLOW: &str = "--timeout gives it longer; 'thalweg cluster status' shows whether the cluster is well";

/// What a broker said of something, with Kafka's name for it where its words don't have that already.
pub(crate) fn said(what: &str, code: ErrorCode) -> String {
    match what.trim_end_matches('.') {
        "" => code.name().to_owned(),
        what => format!("{what} ({})", code.name()),
    }
}

/// What to do when a broker says no.
pub(crate) fn way_out(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId => {
            "'thalweg topic list' shows the topics that are there"
        }
        ErrorCode::TopicAlreadyExists => "choose another name, or add --if-not-exists",
        ErrorCode::InvalidTopicException => "a name has 1 to 249 letters, digits, '.', '_' and '-'",
        ErrorCode::InvalidPartitions => "'thalweg topic list' shows how many there are; there can only be more",
        ErrorCode::InvalidReplicationFactor => "'thalweg cluster status' shows how many brokers there are",
        ErrorCode::InvalidConfig => "'thalweg config get topic NAME --all --explain' tells what each setting is for",
        ErrorCode::OffsetOutOfRange => "'thalweg topic describe' shows where each partition begins and ends",
        ErrorCode::MessageTooLarge => "'thalweg topic alter NAME --config max.message.bytes=4MiB' allows larger ones",
        ErrorCode::InvalidRecord => "does the topic want keys? 'thalweg config get topic NAME cleanup.policy' says it",
        ErrorCode::GroupIdNotFound => "'thalweg group list' shows the groups that are there",
        ErrorCode::GroupSubscribedToTopic => {
            "its members read it: stop them first; 'thalweg group describe' shows them"
        }
        ErrorCode::NonEmptyGroup => "stop its members first: 'thalweg group describe' shows them",
        ErrorCode::UnsupportedVersion => "the broker is too old for this: 'thalweg cluster status' shows what it is",
        ErrorCode::TopicAuthorizationFailed
        | ErrorCode::GroupAuthorizationFailed
        | ErrorCode::ClusterAuthorizationFailed => "ask who administers the cluster for the right to do it",
        code if code.is_retriable() => "this may pass: try again, and look at 'thalweg cluster status' if it doesn't",
        _ => "'thalweg cluster status' shows whether the cluster is well; the broker's log may say more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_went_wrong_and_on_a_line_of_its_own_what_to_do() {
        let failure = Failure::new(Exit::Refused, "topic a does not exist", "make it");
        assert_eq!(failure.to_string(), "thalweg: topic a does not exist\n  make it\n");
        let refused = ClientError::Refused { code: ErrorCode::TopicAlreadyExists, what: "topic a.".to_owned() };
        let failure = Failure::from(refused);
        assert_eq!(failure.exit(), Exit::Refused);
        assert!(failure.to_string().starts_with("thalweg: topic a (TOPIC_ALREADY_EXISTS)\n  choose another name"));
    }

    #[test]
    fn a_part_that_went_well_makes_a_failure_of_the_rest() {
        let refused = || Failure::refused(ErrorCode::TopicAlreadyExists, "a");
        let unreachable = || Failure::from(ClientError::NoBroker(String::new()));
        let exit = |done, failures| Failure::of_several(done, failures).map_err(|failure| failure.exit());
        assert_eq!(exit(2, vec![]), Ok(()));
        assert_eq!(exit(0, vec![refused(), refused()]), Err(Exit::Refused));
        assert_eq!(exit(1, vec![refused()]), Err(Exit::Failed));
        assert_eq!(exit(0, vec![refused(), unreachable()]), Err(Exit::Failed));
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        let exits = [
            Exit::Unread,
            Exit::Failed,
            Exit::Usage,
            Exit::Unreachable,
            Exit::Refused,
            Exit::Damaged,
            Exit::Interrupted,
        ];
        for exit in exits {
            let code = format!("\n  {} ", exit as u8);
            assert!(EXIT_CODES.contains(&code), "{code}");
        }
    }

    #[test]
    fn what_can_not_be_reached_is_told_apart_from_what_is_refused() {
        let exits = [
            (CallError::Lost("x".to_owned()), Exit::Unreachable),
            (CallError::TimedOut, Exit::Unreachable),
            (CallError::Unsupported("DeleteRecords"), Exit::Refused),
            (CallError::Malformed("x".to_owned()), Exit::Failed),
        ];
        for (error, exit) in exits {
            assert_eq!(Failure::from(error.clone()).exit(), exit, "{error}");
        }
        assert_eq!(Failure::from(ClientError::NoBroker("x".to_owned())).exit(), Exit::Unreachable);
    }
}

//! Answers about groups that may be many times as large as the question: they are gathered within a bound.
//!
//! A name of a few bytes may stand for a group of ten thousand members, or for a hundred thousand offsets. Up to
//! [`SMALL_ANSWER_BYTES`] nobody waits. Larger answers take turns, of which the broker has a few, up to
//! [`LARGE_ANSWER_BYTES`]; the turn ends when the last byte was sent.

use std::sync::Arc;
use std::time::Duration;

use thalweg_coordinators::groups::{Answer, Request};
use thalweg_wire::{ErrorCode, Moment, PartitionIndex};
use tokio::sync::OwnedSemaphorePermit;

use crate::broker::Shared;
use crate::budgets::{LARGE_ANSWER_BYTES, Permit, SMALL_ANSWER_BYTES};
use crate::handlers::Ending;

use super::driver::Undecided;
use super::{OFFSETS_TOPIC, Several};

const _: () = assert!(SMALL_ANSWER_BYTES < LARGE_ANSWER_BYTES); // a turn makes room

/// What a group takes in an answer whatever is said of it, beside its name.
const ENTRY_BYTES: usize = 256;

/// How long anybody waits for a turn; then clients come again.
const TURN_PATIENCE: Duration = Duration::from_secs(15);

/// How long an answer is gathered in its turn, of coordinators that may be slow. It is sent in as long, or not at all: see
/// [`crate::connection`].
const GATHERING_MAX: Duration = Duration::from_secs(30);

/// A turn, and until when it may gather.
type Turn = (OwnedSemaphorePermit, Moment);

/// One answer on the wire, gathered from those of coordinators.
pub struct Gathering {
    shared: Arc<Shared>,
    /// What it holds until all is decided; why it is sent away, if there was no room for it.
    several: Result<Several, ErrorCode>,
    ending: Ending,
    /// Of what it may take, [`Self::named`] included.
    left: usize,
    /// What the groups take that it names, whatever is said of them.
    named: usize,
    turn: Option<Turn>,
    progress: Progress,
}

/// Whether something was gathered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Nothing,
    Something,
}

impl Gathering {
    /// Nothing so far, for a request with a permit.
    pub fn new(shared: Arc<Shared>, permit: Permit, ending: Ending) -> Gathering {
        let several = shared.groups.several(permit);
        Gathering {
            shared,
            several,
            ending,
            left: SMALL_ANSWER_BYTES,
            named: 0,
            turn: None,
            progress: Progress::Nothing,
        }
    }

    /// The same of an answer that names these groups again, be it with an error; `None` if it has no room for so many.
    pub fn naming(mut self, groups: &[String]) -> Option<Gathering> {
        // Twice: an error may say it again in words.
        self.named = groups.iter().map(|group| ENTRY_BYTES + 2 * group.len()).sum();
        (self.named <= LARGE_ANSWER_BYTES).then_some(self)
    }

    /// What a group's coordinator says.
    ///
    /// # Errors
    /// As [`super::Groups::ask`]. Where there is no room left for it COORDINATOR_LOAD_IN_PROGRESS: clients ask for the rest
    /// again, in another request. Where it has no room by itself UNKNOWN_SERVER_ERROR, for asking again would not help.
    pub async fn ask(&mut self, group: &str, question: Request) -> Result<Answer, ErrorCode> {
        if self.turn.is_none() {
            self.several.as_ref().map_err(|code| *code)?;
        }
        if self.left == 0 {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        loop {
            let told = match self.left.checked_sub(self.named) {
                Some(room) => {
                    let within = (question.clone(), room);
                    let groups = &self.shared.groups;
                    let asked = groups.ask_within(&self.shared, group, within, Undecided::default(), &mut self.ending);
                    in_turn(&self.shared, &self.turn, asked).await
                }
                None => Ok(Answer::TooLarge),
            };
            if let Some(taken) = self.take(told).await {
                return taken;
            }
        }
    }

    /// What all coordinators say, one after the other. All of them are loaded before a turn begins.
    ///
    /// # Errors
    /// As [`Self::ask`], but where there is no room left it is UNKNOWN_SERVER_ERROR in any case: the same would be asked
    /// for again. Where there are no coordinators there are no groups.
    pub async fn ask_all(&mut self, question: &Request) -> Result<Vec<Answer>, ErrorCode> {
        self.several.as_ref().map_err(|code| *code)?;
        match self.ask_each(question).await? {
            Some(answers) => return Ok(answers),
            None => self.take_turn().await?,
        }
        self.left = LARGE_ANSWER_BYTES;
        self.ask_each(question).await?.ok_or(ErrorCode::UnknownServerError)
    }

    /// Asks all, even where there is no room for what they say: then they are loaded when they are asked again.
    async fn ask_each(&mut self, question: &Request) -> Result<Option<Vec<Answer>>, ErrorCode> {
        let mut answers = Some(Vec::new());
        let Some(topic) = self.shared.cluster.topic(OFFSETS_TOPIC) else { return Ok(answers) };
        for partition in (0..topic.partition_count()).map(PartitionIndex) {
            let groups = &self.shared.groups;
            let within = (question.clone(), self.left);
            let asked =
                groups.ask_at(&self.shared, (&topic, partition), within, Undecided::default(), &mut self.ending);
            let told = in_turn(&self.shared, &self.turn, asked).await?;
            match (told, &mut answers) {
                (Answer::TooLarge, _) if self.turn.is_some() => return Ok(None),
                (Answer::TooLarge, _) => (self.left, answers) = (0, None),
                (_, None) => {}
                (answer, Some(answers)) => {
                    self.left = self.left.saturating_sub(answer.bytes());
                    answers.push(answer);
                }
            }
        }
        Ok(answers)
    }

    /// What has to be kept until the answer was sent.
    pub fn turn(self) -> Option<OwnedSemaphorePermit> {
        self.turn.map(|(turn, _)| turn)
    }

    /// Waits for a turn. What was held of the request is given back first: who has a turn may keep it for long.
    async fn take_turn(&mut self) -> Result<(), ErrorCode> {
        self.several = Err(ErrorCode::CoordinatorLoadInProgress);
        let clock = self.shared.world.clock.clone();
        let turn = tokio::select! {
            biased;
            turn = self.shared.memory.large_answer() => turn,
            () = self.ending.begun() => return Err(ErrorCode::NotCoordinator),
            () = clock.sleep(TURN_PATIENCE) => return Err(ErrorCode::CoordinatorLoadInProgress),
        };
        self.turn = Some((turn, clock.now() + GATHERING_MAX));
        Ok(())
    }

    /// Counts an answer. `None`: there is more room by now, so that it is to be asked for again.
    async fn take(&mut self, told: Result<Answer, ErrorCode>) -> Option<Result<Answer, ErrorCode>> {
        match told {
            Ok(Answer::TooLarge) if self.turn.is_none() => {
                if let Err(code) = self.take_turn().await {
                    self.left = 0;
                    return Some(Err(code));
                }
                self.left += LARGE_ANSWER_BYTES - SMALL_ANSWER_BYTES;
                None
            }
            Ok(Answer::TooLarge) => Some(Err(match self.progress {
                Progress::Nothing => ErrorCode::UnknownServerError,
                Progress::Something => {
                    // Whatever is asked for behind it is not looked for in vain.
                    self.left = 0;
                    ErrorCode::CoordinatorLoadInProgress
                }
            })),
            Ok(answer) => {
                let bytes = answer.bytes();
                self.left = self.left.saturating_sub(bytes);
                if bytes > 0 {
                    self.progress = Progress::Something;
                }
                Some(Ok(answer))
            }
            Err(code) => Some(Err(code)),
        }
    }
}

/// What is said before the turn is over, if there is one.
async fn in_turn(
    shared: &Shared,
    turn: &Option<Turn>,
    asked: impl Future<Output = Result<Answer, ErrorCode>>,
) -> Result<Answer, ErrorCode> {
    let Some((_, until)) = turn else { return asked.await };
    tokio::select! {
        biased;
        told = asked => told,
        () = shared.world.clock.sleep_until(*until) => Err(ErrorCode::CoordinatorLoadInProgress),
    }
}

//! Answers about groups that may be many times as large as the question: they are gathered within a bound.
//!
//! A name of a few bytes may stand for a group of ten thousand members, or for a hundred thousand offsets. Up to
//! [`SMALL_ANSWER_BYTES`] nobody waits. Larger answers take turns, of which the broker has a few, up to
//! [`LARGE_ANSWER_BYTES`]; the turn ends when the last byte was sent.

use std::sync::Arc;

use thalweg_coordinators::groups::{Answer, Request};
use thalweg_wire::ErrorCode;
use tokio::sync::OwnedSemaphorePermit;

use crate::broker::Shared;
use crate::budgets::{LARGE_ANSWER_BYTES, Permit, SMALL_ANSWER_BYTES};
use crate::handlers::Ending;

use super::Several;
use super::driver::Undecided;

const _: () = assert!(SMALL_ANSWER_BYTES < LARGE_ANSWER_BYTES); // a turn makes room

/// One answer on the wire, gathered from those of coordinators.
pub struct Gathering {
    shared: Arc<Shared>,
    /// What it holds until all is decided; why it is sent away, if there was no room for it.
    several: Result<Several, ErrorCode>,
    ending: Ending,
    left: usize,
    turn: Option<OwnedSemaphorePermit>,
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
        Gathering { shared, several, ending, left: SMALL_ANSWER_BYTES, turn: None, progress: Progress::Nothing }
    }

    /// What a group's coordinator says.
    ///
    /// # Errors
    /// As [`super::Groups::ask`]. Where there is no room left for it COORDINATOR_LOAD_IN_PROGRESS: clients ask for the rest
    /// again, in another request. Where it has no room by itself UNKNOWN_SERVER_ERROR, for asking again would not help.
    pub async fn ask(&mut self, group: &str, question: Request) -> Result<Answer, ErrorCode> {
        self.several.as_ref().map_err(|code| *code)?;
        if self.left == 0 {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        loop {
            let within = (question.clone(), self.left);
            let groups = &self.shared.groups;
            let told = groups.ask_within(&self.shared, group, within, Undecided::default(), &mut self.ending).await;
            if let Some(taken) = self.take(told).await {
                return taken;
            }
        }
    }

    /// What all coordinators say, one after the other.
    ///
    /// # Errors
    /// As [`Self::ask`]; where there are no coordinators there are no groups.
    pub async fn ask_all(&mut self, question: &Request) -> Result<Vec<Answer>, ErrorCode> {
        self.several.as_ref().map_err(|code| *code)?;
        let mut answers = Vec::new();
        for partition in self.shared.groups.partitions(&self.shared) {
            loop {
                let within = (question.clone(), self.left);
                let groups = &self.shared.groups;
                let told = groups.ask_at(&self.shared, partition, within, Undecided::default(), &mut self.ending).await;
                if let Some(taken) = self.take(told).await {
                    answers.push(taken?);
                    break;
                }
            }
        }
        Ok(answers)
    }

    /// What has to be kept until the answer was sent.
    pub fn turn(self) -> Option<OwnedSemaphorePermit> {
        self.turn
    }

    /// Counts an answer. `None`: there is more room by now, so that it is to be asked for again.
    async fn take(&mut self, told: Result<Answer, ErrorCode>) -> Option<Result<Answer, ErrorCode>> {
        match told {
            Ok(Answer::TooLarge) if self.turn.is_none() => {
                tokio::select! {
                    biased;
                    turn = self.shared.memory.large_answer() => self.turn = Some(turn),
                    () = self.ending.begun() => return Some(Err(ErrorCode::NotCoordinator)),
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

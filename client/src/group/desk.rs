//! Where the program and the member that acts for it meet: what the program is to be told, and what it has dealt with.
//!
//! Who asks for more has dealt with everything that it was given: only then may it be committed, and only then may
//! partitions go to somebody else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::{Moment, PartitionIndex};
use tokio::sync::watch;

use super::offsets::CommitError;
use crate::consumer::ConsumeError;

/// A partition, by name.
pub(super) type Partition = (Arc<str>, PartitionIndex);

/// What the program is told besides records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum News {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>),
    Lost(Vec<Partition>),
    /// Something that it asked for can't be had.
    Failed(ConsumeError),
}

/// Who this member is, to its coordinator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    pub(super) member: String,
    pub(super) generation: i32,
}

/// How the program takes its leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    /// It has dealt with everything, and waits no longer than this until that is committed, and told.
    Closed { until: Moment },
    /// Nobody knows what it has dealt with.
    Dropped,
}

pub(super) struct State {
    news: VecDeque<News>,
    /// The program has dealt with everything that it was given.
    is_settled: bool,
    /// Since when it has not been asking; `None` while it asks.
    away_since: Option<Moment>,
    /// The member waits for the program, ...
    is_awaited: bool,
    /// ... which has asked since then, ...
    has_asked: bool,
    /// ... and was present, though it may have been given more at once.
    was_present: bool,
    /// What it wants to read, and how often it has said so.
    pub(super) topics: Vec<String>,
    pub(super) topics_turn: u64,
    /// `None` while this is no member.
    pub(super) identity: Option<Identity>,
    pub(super) failure: Option<ConsumeError>,
    pub(super) leave: Option<Leave>,
    /// The member is gone, ...
    pub(super) is_over: bool,
    /// ... and could not commit what was dealt with.
    pub(super) uncommitted: Option<CommitError>,
}

/// The desk. Whoever changes something on it wakes who waits for that.
pub(super) struct Desk {
    state: watch::Sender<State>,
}

impl Desk {
    pub(super) fn new(topics: Vec<String>, now: Moment) -> Desk {
        let state = State {
            news: VecDeque::new(),
            is_settled: true,
            away_since: Some(now),
            is_awaited: false,
            has_asked: false,
            was_present: false,
            topics,
            topics_turn: 0,
            identity: None,
            failure: None,
            leave: None,
            is_over: false,
            uncommitted: None,
        };
        Desk { state: watch::Sender::new(state) }
    }

    pub(super) fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&self.state.borrow())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut changed = None;
        self.state.send_modify(|state| changed = Some(change(state)));
        changed.expect("it was called")
    }

    /// Changes what nobody waits for: a member that looks for it looks at its own time.
    pub(super) fn change_quietly<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut changed = None;
        self.state.send_if_modified(|state| {
            changed = Some(change(state));
            false
        });
        changed.expect("it was called")
    }

    /// The program asks.
    pub(super) fn asks(&self) {
        self.state.send_if_modified(|state| {
            state.asks();
            state.is_awaited
        });
    }

    /// Waits until the program knows everything, and has dealt with it.
    pub(super) async fn until_present(&self) {
        self.change_quietly(|state| (state.is_awaited, state.was_present) = (true, state.is_present()));
        self.until(|state| state.was_present).await;
        self.change_quietly(|state| state.is_awaited = false);
    }

    /// Waits until the program asks again, or leaves.
    pub(super) async fn until_back(&self) {
        self.change_quietly(|state| (state.is_awaited, state.has_asked) = (true, state.away_since.is_none()));
        self.until(|state| state.leave.is_some() || state.has_asked).await;
        self.change_quietly(|state| state.is_awaited = false);
    }

    /// Waits until something holds.
    pub(super) async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut watched = self.state.subscribe();
        // The sender is `self`.
        let _ = watched.wait_for(|state| holds(state)).await;
    }

    /// Waits for the next change.
    pub(super) fn changes(&self) -> watch::Receiver<State> {
        let mut watched = self.state.subscribe();
        watched.mark_unchanged();
        watched
    }
}

impl State {
    /// The program asks: it has dealt with what it was given.
    pub(super) fn asks(&mut self) {
        (self.is_settled, self.away_since, self.has_asked) = (true, None, true);
        self.was_present |= self.is_present();
    }

    /// It is given something, or gave up asking.
    pub(super) fn goes(&mut self, now: Moment) {
        self.away_since = Some(now);
    }

    /// It is given records, or news.
    pub(super) fn is_given(&mut self) {
        self.is_settled = false;
    }

    pub(super) fn tell(&mut self, news: News) {
        self.news.push_back(news);
    }

    pub(super) fn next_news(&mut self) -> Option<News> {
        let news = self.news.pop_front();
        if news.is_some() {
            self.is_given();
        }
        news
    }

    /// What it was not told yet that it gives up is lost now.
    pub(super) fn lose_untold(&mut self) {
        for news in &mut self.news {
            if let News::Revoked(partitions) = news {
                *news = News::Lost(std::mem::take(partitions));
            }
        }
    }

    /// Whether partitions are lost that the program believes to have.
    pub(super) fn has_lost(&self) -> bool {
        self.news.iter().any(|news| matches!(news, News::Lost(_)))
    }

    /// Whether the program knows everything, and has dealt with it.
    fn is_present(&self) -> bool {
        self.is_settled && self.news.is_empty()
    }

    /// When it will have been away for too long.
    pub(super) fn patience_ends(&self, patience: Duration) -> Option<Moment> {
        self.away_since.map(|since| since + patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // It is given more at once, again and again: nobody would ever see it waiting.
    #[tokio::test]
    async fn a_program_that_is_never_idle_is_waited_for_in_vain_no_longer_than_to_its_next_question() {
        let desk = Arc::new(Desk::new(Vec::new(), Moment::from_nanos(0)));
        let busy = |desk: &Desk| {
            desk.asks();
            desk.change_quietly(State::is_given);
        };
        busy(&desk);
        let waits = tokio::spawn({
            let desk = desk.clone();
            async move { desk.until_present().await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        busy(&desk);
        waits.await.unwrap();
    }

    #[test]
    fn the_program_is_present_when_it_asks_again_behind_everything_that_it_was_told() {
        let at = |seconds: u64| Moment::from_nanos(seconds * 1_000_000_000);
        let desk = Desk::new(vec!["t".to_owned()], at(1));
        assert!(desk.look(State::is_present));
        desk.change(|state| state.tell(News::Revoked(Vec::new())));
        desk.asks();
        assert!(!desk.look(State::is_present), "it was not told yet");
        assert!(desk.change(State::next_news).is_some());
        assert!(!desk.look(State::is_present), "it deals with it");
        desk.change(|state| state.goes(at(5)));
        assert_eq!(desk.look(|state| state.patience_ends(Duration::from_secs(3))), Some(at(8)));
        desk.asks();
        assert!(desk.look(State::is_present));
        assert_eq!(desk.look(|state| state.patience_ends(Duration::from_secs(3))), None);
    }
}

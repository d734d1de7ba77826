//! How a member waits: with heartbeats beside it, until something makes the wait pointless.

use std::pin::pin;

use thalweg_messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use thalweg_wire::{ErrorCode, Moment};
use thalweg_world::BoxFuture;

use super::{Leave, Membership, Verdict};
use crate::cluster::{ClientError, Purpose};
use crate::connection::CallError;
use crate::coordinator::may_pass;

/// Heartbeats: one at a time.
pub(super) struct Pulse {
    pub(super) next: Moment,
    pub(super) flight: Option<BoxFuture<'static, Result<HeartbeatResponse, ClientError>>>,
}

/// Why a member does something else now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Interrupt {
    /// The program leaves.
    Leave(Leave),
    /// The program has not asked for too long.
    Away,
    /// The group shares out anew.
    Rejoin,
    /// Its generation is over without it.
    Outdated,
    /// The coordinator doesn't know it any more.
    Forgotten,
    /// The coordinator says no for good.
    Refused(ErrorCode),
}

/// What a wait is interrupted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heed {
    /// By a group that shares out anew, too.
    Rejoin,
    /// Only by what makes the wait pointless.
    End,
    /// The same, while the group comes together: nothing can be committed before it has.
    Round,
}

impl Membership {
    /// Does some work, with heartbeats beside it.
    pub(super) async fn beating<T>(&mut self, work: impl Future<Output = T>, heed: Heed) -> Result<T, Interrupt> {
        let mut work = pin!(work);
        let clock = self.clock();
        let desk = self.desk.clone();
        let mut changes = desk.changes();
        loop {
            let patience = self.options.poll_interval_max;
            let (leave, patience) = desk.look(|state| (state.leave, state.patience_ends(patience)));
            let farewell = leave.filter(|_| heed == Heed::Round).and_then(|leave| self.has_to_commit_until(leave));
            if let Some(leave) = leave.filter(|_| farewell.is_none_or(|until| until <= clock.now())) {
                return Err(Interrupt::Leave(leave));
            }
            if patience.is_some_and(|at| at <= clock.now()) {
                return Err(Interrupt::Away);
            }
            if self.wants_rejoin && heed == Heed::Rejoin {
                return Err(Interrupt::Rejoin);
            }
            let next_beat = self.generation.filter(|_| self.pulse.flight.is_none()).map(|_| self.pulse.next);
            if next_beat.is_some_and(|at| at <= clock.now()) {
                self.pulse.flight = self.beat(heed);
                continue;
            }
            let wake = [patience, farewell, next_beat].into_iter().flatten().min();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                outcome = answer(&mut self.pulse.flight) => self.beaten(outcome)?,
                _ = changes.changed() => {}
                () = async { clock.sleep_until(wake.unwrap_or(clock.now())).await }, if wake.is_some() => {}
            }
        }
    }

    /// A heartbeat on its way.
    fn beat(&self, heed: Heed) -> Option<BoxFuture<'static, Result<HeartbeatResponse, ClientError>>> {
        let request = HeartbeatRequest {
            group_id: self.coordination.group.to_string(),
            generation_id: self.generation?,
            member_id: self.member.clone(),
            group_instance_id: self.options.instance.clone(),
            ..HeartbeatRequest::default()
        };
        // A SyncGroup may be on its way, and would hold it up.
        let purpose = if heed == Heed::Round { Purpose::Requests } else { self.purpose };
        let coordination = self.coordination.clone();
        let patience = self.options.session_timeout.min(coordination.client.options().request_timeout);
        Some(Box::pin(async move { coordination.ask(purpose, patience, |_| request, i16::MAX).await }))
    }

    fn beaten(&mut self, outcome: Result<HeartbeatResponse, ClientError>) -> Result<(), Interrupt> {
        let soon = self.now() + self.coordination.client.options().retry_backoff;
        (self.pulse.flight, self.pulse.next) = (None, self.now() + self.options.heartbeat_interval());
        match outcome {
            Err(error) => {
                self.pulse.next = soon;
                self.check(&error)
            }
            Ok(response) => {
                match Verdict::of(response.error_code) {
                    Verdict::Done | Verdict::Again | Verdict::TakeNumber => {}
                    Verdict::Rejoin => self.wants_rejoin = true,
                    Verdict::Outdated => return Err(Interrupt::Outdated),
                    Verdict::Forgotten => return Err(Interrupt::Forgotten),
                    Verdict::Refused(code) => return Err(Interrupt::Refused(code)),
                    Verdict::Elsewhere => {
                        self.coordination.forget();
                        self.pulse.next = soon;
                    }
                }
                Ok(())
            }
        }
    }

    /// Waits for the group to come together, unless the program leaves. If there is something to commit, it leaves behind
    /// that, and if it takes long, without.
    pub(super) async fn unless_left<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupt> {
        let (desk, clock) = (self.desk.clone(), self.clock());
        let mut work = pin!(work);
        let leave = tokio::select! {
            biased;
            () = desk.until(|state| state.leave.is_some()) => {
                self.desk.look(|state| state.leave).unwrap_or(Leave::Dropped)
            }
            done = &mut work => return Ok(done),
        };
        if let Some(until) = self.has_to_commit_until(leave) {
            tokio::select! {
                biased;
                done = work => return Ok(done),
                () = clock.sleep_until(until) => {}
            }
        }
        Err(Interrupt::Leave(leave))
    }

    /// Until when it stays, if what the program has dealt with is still to be committed before it goes.
    fn has_to_commit_until(&self, leave: Leave) -> Option<Moment> {
        let Leave::Closed { until } = leave else { return None };
        let commits = self.options.auto_commit.is_some() && self.generation.is_some();
        (commits && !self.consumer.positions().uncommitted().is_empty()).then_some(until)
    }

    /// Whether asking again may help.
    pub(super) fn check(&self, error: &ClientError) -> Result<(), Interrupt> {
        tracing::debug!(group = %self.coordination.group, %error, "the coordinator was not asked");
        match error {
            ClientError::Refused { code, .. } if !may_pass(*code) => Err(Interrupt::Refused(*code)),
            ClientError::Call(CallError::Unsupported(_) | CallError::Inexpressible(_)) => {
                Err(Interrupt::Refused(ErrorCode::UnsupportedVersion))
            }
            _ => Ok(()),
        }
    }
}

async fn answer(
    flight: &mut Option<BoxFuture<'static, Result<HeartbeatResponse, ClientError>>>,
) -> Result<HeartbeatResponse, ClientError> {
    match flight {
        Some(flight) => flight.await,
        None => std::future::pending().await,
    }
}

//! What a member asks its coordinator, and what each answer asks for next.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thalweg_messages::Request;
use thalweg_wire::{BrokerId, ErrorCode};

use crate::cluster::{Client, ClientError, Purpose};
use crate::coordinator::may_pass;

/// What an answer asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is done.
    Done,
    /// The same again, after a pause.
    Again,
    /// The same again, of another broker.
    Elsewhere,
    /// The group shares out its partitions anew: join again.
    Rejoin,
    /// Its generation is over, and others may have what it had; it is still a member, by its number (KAFKA-13419).
    Outdated,
    /// The coordinator doesn't know this member any more: what it had, others have.
    Forgotten,
    /// It has a number for this member, to join with.
    TakeNumber,
    /// Nothing helps.
    Refused(ErrorCode),
}

impl Verdict {
    /// The rule of Kafka's `ConsumerCoordinator` and `AbstractCoordinator`.
    pub(super) fn of(code: i16) -> Verdict {
        let Some(code) = ErrorCode::from_code(code) else { return Verdict::Refused(ErrorCode::UnknownServerError) };
        match code {
            ErrorCode::None => Verdict::Done,
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => Verdict::Elsewhere,
            ErrorCode::RebalanceInProgress => Verdict::Rejoin,
            ErrorCode::IllegalGeneration => Verdict::Outdated,
            ErrorCode::UnknownMemberId => Verdict::Forgotten,
            ErrorCode::MemberIdRequired => Verdict::TakeNumber,
            code if may_pass(code) => Verdict::Again,
            code => Verdict::Refused(code),
        }
    }
}

/// A group's coordinator. Cheap to clone; all clones know the same broker.
#[derive(Clone)]
pub(super) struct Coordination {
    pub(super) client: Client,
    pub(super) group: Arc<str>,
    known: Arc<Mutex<Option<BrokerId>>>,
}

impl Coordination {
    pub(super) fn new(client: Client, group: &str) -> Coordination {
        Coordination { client, group: group.into(), known: Arc::default() }
    }

    /// Asks the coordinator once, at the newest version up to one that both know, and waits so long. One that can't be
    /// asked is looked for anew the next time.
    pub(super) async fn ask<R: Request>(
        &self,
        purpose: Purpose,
        patience: Duration,
        write: impl FnOnce(i16) -> R,
        version_max: i16,
    ) -> Result<R::Response, ClientError> {
        let broker = self.broker().await?;
        let asked = async {
            let connection = self.client.connection_to(broker, purpose).await?;
            let version = connection.version_of::<R>(version_max)?;
            connection.call_within(&write(version), version, patience).await
        };
        let answer = asked.await;
        if answer.is_err() {
            self.forget();
        }
        Ok(answer?)
    }

    async fn broker(&self) -> Result<BrokerId, ClientError> {
        if let Some(known) = *self.known.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(known);
        }
        let deadline = self.client.world().clock.now() + self.client.options().request_timeout;
        let broker = self.client.coordinator(&self.group, deadline).await?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(broker);
        Ok(broker)
    }

    /// Another broker may be it now.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_mended_is_and_the_rest_is_told() {
        for (code, verdict) in [
            (ErrorCode::None, Verdict::Done),
            (ErrorCode::CoordinatorLoadInProgress, Verdict::Again),
            (ErrorCode::UnstableOffsetCommit, Verdict::Again),
            (ErrorCode::NotCoordinator, Verdict::Elsewhere),
            (ErrorCode::RebalanceInProgress, Verdict::Rejoin),
            (ErrorCode::UnknownMemberId, Verdict::Forgotten),
            (ErrorCode::IllegalGeneration, Verdict::Outdated),
            (ErrorCode::UnknownServerError, Verdict::Again),
            (ErrorCode::MemberIdRequired, Verdict::TakeNumber),
            (ErrorCode::FencedInstanceId, Verdict::Refused(ErrorCode::FencedInstanceId)),
            (ErrorCode::GroupAuthorizationFailed, Verdict::Refused(ErrorCode::GroupAuthorizationFailed)),
        ] {
            assert_eq!(Verdict::of(code.code()), verdict, "{code}");
        }
        assert_eq!(Verdict::of(12_345), Verdict::Refused(ErrorCode::UnknownServerError));
    }
}

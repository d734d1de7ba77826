//! Which broker coordinates a group: it knows who is in it, and keeps what it has committed.

use thalweg_messages::find_coordinator::{Coordinator, FindCoordinatorRequest};
use thalweg_wire::{BrokerId, ErrorCode, Moment};

use crate::cluster::{Client, ClientError, Purpose};

/// The first version that asks for several at once (KIP-699).
const BATCHED_FROM: i16 = 4;

/// The newest version that differs in what a group is told.
const FIND_COORDINATOR_VERSION_MAX: i16 = 4;

/// Whether asking again may help. What a coordinator can't explain is often over with the next one.
pub(crate) fn may_pass(code: ErrorCode) -> bool {
    code.is_retriable() || code == ErrorCode::UnknownServerError
}

impl Client {
    /// The coordinator of a group. Asks again and again, until `deadline`; remembers nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] where asking again would not help.
    pub async fn coordinator(&self, group: &str, deadline: Moment) -> Result<BrokerId, ClientError> {
        let mut backoff = self.backoff();
        loop {
            let asked = tokio::select! {
                biased;
                asked = self.ask_for_coordinator(group) => asked,
                () = self.world().clock.sleep_until(deadline) => {
                    return Err(ClientError::TimedOut(format!("nobody told who coordinates group {group}")));
                }
            };
            let reason = match asked {
                Ok(broker) => return Ok(broker),
                Err(ClientError::Refused { code, what }) if !may_pass(code) => {
                    return Err(ClientError::Refused { code, what });
                }
                Err(error) => error.to_string(),
            };
            if !self.pause(&mut backoff, deadline).await {
                return Err(ClientError::TimedOut(reason));
            }
        }
    }

    async fn ask_for_coordinator(&self, group: &str) -> Result<BrokerId, ClientError> {
        let connection = self.connection_to_anybody().await?;
        let version = connection.version_of::<FindCoordinatorRequest>(FIND_COORDINATOR_VERSION_MAX)?;
        let mut request = FindCoordinatorRequest::default();
        match version {
            BATCHED_FROM.. => request.coordinator_keys = vec![group.to_owned()],
            _ => request.key = group.to_owned(),
        }
        let response = connection.call_at(&request, version).await?;
        let (code, broker) = match response.coordinators.first() {
            Some(Coordinator { error_code, node_id, .. }) => (*error_code, *node_id),
            None if version >= BATCHED_FROM => (ErrorCode::UnknownServerError.code(), BrokerId::NONE),
            None => (response.error_code, response.node_id),
        };
        match ErrorCode::from_code(code) {
            Some(ErrorCode::None) => {}
            code => {
                let code = code.unwrap_or(ErrorCode::UnknownServerError);
                return Err(ClientError::Refused { code, what: format!("the coordinator of group {group}") });
            }
        }
        if self.connection_to(broker, Purpose::Requests).await.is_err() {
            // A broker that nobody has told of yet, or that has moved.
            self.metadata(Some(&[])).await?;
        }
        Ok(broker)
    }
}

//! DescribeTransactions (key 65), version 0, and ListTransactions (key 66), versions 0-2 (KIP-664).
//!
//! What transactional producers do: transactions aren't served yet, so there are none. A pattern of transactional ids is
//! not looked at: nothing could match it.
//!
//! ListTransactions: v1 by how long they last (KIP-994), v2 by a pattern of their ids (KIP-1152).

use thalweg_messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionState,
};
use thalweg_messages::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
use thalweg_wire::{ErrorCode, ProducerEpoch, ProducerId};

use super::{Api, Close, answerable, resource};

/// The versions served of DescribeTransactions.
pub const DESCRIBE: Api = Api::new(65, 0..=0);
/// The versions served of ListTransactions.
pub const LIST: Api = Api::new(66, 0..=2);

/// The states that Kafka has names for.
const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// Answers DescribeTransactions.
pub fn describe(request: DescribeTransactionsRequest) -> Result<DescribeTransactionsResponse, Close> {
    resource::check_few(request.transactional_ids.len(), "transactional ids")?;
    let mut transaction_states = Vec::with_capacity(request.transactional_ids.len());
    for transactional_id in request.transactional_ids {
        let code = match transactional_id.as_str() {
            "" => ErrorCode::InvalidRequest,
            _ => ErrorCode::TransactionalIdNotFound,
        };
        transaction_states.push(TransactionState {
            error_code: code.code(),
            transactional_id: answerable(transactional_id.into())?.into_owned(),
            producer_id: ProducerId(0),
            producer_epoch: ProducerEpoch(0),
            ..TransactionState::default()
        });
    }
    Ok(DescribeTransactionsResponse { transaction_states, ..DescribeTransactionsResponse::default() })
}

/// Answers ListTransactions.
pub fn list(request: ListTransactionsRequest) -> Result<ListTransactionsResponse, Close> {
    resource::check_few(request.state_filters.len(), "states")?;
    let mut unknown_state_filters = request.state_filters;
    unknown_state_filters.retain(|state| !STATES.contains(&state.as_str()));
    unknown_state_filters.iter().try_for_each(|state| answerable(state.as_str().into()).map(drop))?;
    Ok(ListTransactionsResponse { unknown_state_filters, ..ListTransactionsResponse::default() })
}

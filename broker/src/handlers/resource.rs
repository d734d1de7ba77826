//! What a request names: things that have settings, partitions; and how many of them it may name.

use thalweg_wire::ErrorCode;

use super::Close;
use crate::broker::Shared;

/// What a request may name beyond what there is.
const SPARE: usize = 10_000;

/// A kind of resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ResourceKind {
    Topic,
    Broker,
    BrokerLogger,
    ClientMetrics,
    Group,
}

impl ResourceKind {
    /// By Kafka's number.
    pub(super) fn of(number: i8) -> Result<ResourceKind, (ErrorCode, String)> {
        Ok(match number {
            2 => ResourceKind::Topic,
            4 => ResourceKind::Broker,
            8 => ResourceKind::BrokerLogger,
            16 => ResourceKind::ClientMetrics,
            32 => ResourceKind::Group,
            _ => return Err((ErrorCode::InvalidRequest, format!("Unknown resource type {number}"))),
        })
    }
}

/// Closes the connection of who names many times more resources than there are: five bytes each in the request, some
/// hundreds while it is answered.
pub(super) fn check_count(shared: &Shared, resources: usize) -> Result<(), Close> {
    let topics = shared.cluster.look(|image| image.topic_count());
    if resources <= topics.saturating_add(SPARE) {
        Ok(())
    } else {
        Err(format!("{resources} resources are named, and there are {topics} topics"))
    }
}

/// The same for what there is little of, or nothing.
pub(super) fn check_few(named: usize, what: &str) -> Result<(), Close> {
    if named <= SPARE { Ok(()) } else { Err(format!("{named} {what} are named, {SPARE} may be")) }
}

/// The same for partitions.
pub(super) fn check_partitions(shared: &Shared, named: usize) -> Result<(), Close> {
    let partitions = shared.cluster.image().topics().map(|topic| topic.partitions().len()).sum::<usize>();
    if named <= partitions.saturating_add(SPARE) {
        Ok(())
    } else {
        Err(format!("{named} partitions are named, and there are {partitions}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_may_be_named_as_there_may_be_and_no_more() {
        assert_eq!(check_few(SPARE, "users"), Ok(()));
        assert_eq!(check_few(SPARE + 1, "users"), Err("10001 users are named, 10000 may be".to_owned()));
    }
}

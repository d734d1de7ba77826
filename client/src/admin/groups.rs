//! Groups: listed, described, deleted.
//!
//! Each group has a coordinator, which is looked for anew for every question: administrators ask rarely, and groups move.
//! What they have committed is in `group_offsets`.

use thalweg_messages::Request;
use thalweg_messages::consumer_group_describe::{self, ConsumerGroupDescribeRequest};
use thalweg_messages::delete_groups::DeleteGroupsRequest;
use thalweg_messages::describe_groups::{DescribeGroupsRequest, DescribedGroup, DescribedGroupMember};
use thalweg_messages::list_groups::{ListGroupsRequest, ListGroupsResponse};
use thalweg_wire::{BrokerId, ErrorCode, PartitionIndex};

use super::{Admin, Outcomes, Refused};
use crate::cluster::{ClientError, Purpose};
use crate::connection::CallError;
use crate::group::protocol;

/// What a group is called whose members are consumers, in the classic protocol.
const CONSUMERS: &str = "consumer";

/// The state of a group that isn't there, for brokers that don't call it an error.
const DEAD: &str = "Dead";

/// A group in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupListing {
    /// Its name.
    pub name: String,
    /// What it is for: `consumer`, `connect`, ...; empty where nobody ever joined it.
    pub protocol_type: String,
    /// Its state, in Kafka's words; `None` from brokers that don't tell (before KIP-518).
    pub state: Option<String>,
    /// Kafka's word for its protocol, such as `classic`; `None` from brokers that don't tell (before KIP-848).
    pub kind: Option<String>,
    /// Who coordinates it.
    pub coordinator: BrokerId,
}

/// A group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupDescription {
    /// Its name.
    pub name: String,
    /// Its state, in Kafka's words.
    pub state: String,
    /// What it is for: `consumer`, `connect`, ...; empty where nobody ever joined it.
    pub protocol_type: String,
    /// How it shares out partitions; empty where it has no members.
    pub assignor: String,
    /// Who coordinates it.
    pub coordinator: BrokerId,
    /// Its members, by their number.
    pub members: Vec<MemberDescription>,
}

/// A member of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberDescription {
    /// The coordinator's number for it.
    pub id: String,
    /// Its own name, if it has one (KIP-345).
    pub instance: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub host: String,
    /// What it reads; nothing where that can't be understood.
    pub partitions: Vec<(String, PartitionIndex)>,
}

impl Admin {
    /// Every group, by name.
    ///
    /// # Errors
    /// [`ClientError`]: a broker that can't be asked may have groups, so there is no list then.
    pub async fn groups(&self) -> Result<Vec<GroupListing>, ClientError> {
        let told = self.client.metadata(Some(&[])).await?;
        let mut groups = Vec::new();
        for broker in told.brokers {
            groups.extend(self.groups_of(broker.node_id).await?);
        }
        groups.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(groups)
    }

    async fn groups_of(&self, broker: BrokerId) -> Result<Vec<GroupListing>, ClientError> {
        let read = |told: ListGroupsResponse| {
            Refused::check(told.error_code, None)?;
            Ok(told.groups)
        };
        let write = |_| ListGroupsRequest::default();
        let (_, groups) = self.ask_about_groups(Whom::Broker(broker), write, i16::MAX, read).await?;
        let listed = groups.into_iter().map(|told| GroupListing {
            name: told.group_id,
            protocol_type: told.protocol_type,
            state: Some(told.group_state).filter(|state| !state.is_empty()),
            kind: Some(told.group_type.to_lowercase()).filter(|kind| !kind.is_empty()),
            coordinator: broker,
        });
        Ok(listed.collect())
    }

    /// A group, of the classic protocol or of the one with the server's assignors (KIP-848).
    ///
    /// # Errors
    /// [`ClientError::Refused`] with [`ErrorCode::GroupIdNotFound`] if there is none.
    pub async fn group(&self, name: &str) -> Result<GroupDescription, ClientError> {
        let missing = match self.classic_group(name).await {
            Err(missing @ ClientError::Refused { code: ErrorCode::GroupIdNotFound, .. }) => missing,
            told => return told,
        };
        match self.newer_group(name).await {
            // It is there in neither; or the broker has only one.
            Err(
                ClientError::Refused { code: ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion, .. }
                | ClientError::Call(CallError::Unsupported(_)),
            ) => Err(missing),
            told => told,
        }
    }

    async fn classic_group(&self, name: &str) -> Result<GroupDescription, ClientError> {
        let write = |_| DescribeGroupsRequest { groups: vec![name.to_owned()], ..DescribeGroupsRequest::default() };
        let read = |told: <DescribeGroupsRequest as Request>::Response| {
            let told = told.groups.into_iter().next().ok_or_else(not_named)?;
            Refused::check(told.error_code, told.error_message.as_deref())?;
            if told.group_state == DEAD {
                return Err(Refused { code: ErrorCode::GroupIdNotFound, message: String::new() });
            }
            Ok(told)
        };
        let (coordinator, told) = self.ask_about_groups(Whom::CoordinatorOf(name), write, i16::MAX, read).await?;
        Ok(classic(told, coordinator))
    }

    async fn newer_group(&self, name: &str) -> Result<GroupDescription, ClientError> {
        let write = |_| ConsumerGroupDescribeRequest {
            group_ids: vec![name.to_owned()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let read = |told: <ConsumerGroupDescribeRequest as Request>::Response| {
            let told = told.groups.into_iter().next().ok_or_else(not_named)?;
            Refused::check(told.error_code, told.error_message.as_deref())?;
            Ok(told)
        };
        let (coordinator, told) = self.ask_about_groups(Whom::CoordinatorOf(name), write, i16::MAX, read).await?;
        Ok(newer(told, coordinator))
    }

    /// Deletes groups that have no members, with all that they have committed.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which are gone.
    pub async fn delete_groups(&self, names: &[&str]) -> Result<Outcomes<()>, ClientError> {
        let mut outcomes = Vec::new();
        for name in names {
            let write =
                |_| DeleteGroupsRequest { groups_names: vec![(*name).to_owned()], ..DeleteGroupsRequest::default() };
            let read = |told: <DeleteGroupsRequest as Request>::Response| {
                let told = told.results.into_iter().next().ok_or_else(not_named)?;
                Refused::check(told.error_code, None)
            };
            let outcome = match self.ask_about_groups(Whom::CoordinatorOf(name), write, i16::MAX, read).await {
                Ok(_) => Ok(()),
                Err(ClientError::Refused { code, what }) => Err(Refused { code, message: what }),
                Err(error) => return Err(error),
            };
            outcomes.push(((*name).to_owned(), outcome));
        }
        Ok(outcomes)
    }

    /// Asks a broker about groups, again and again while it doesn't know them yet, or not any more: it has done nothing
    /// then. Who it was, and what it said.
    pub(super) async fn ask_about_groups<R: Request, T>(
        &self,
        whom: Whom<'_>,
        write: impl Fn(i16) -> R,
        version_max: i16,
        read: impl Fn(R::Response) -> Result<T, Refused>,
    ) -> Result<(BrokerId, T), ClientError> {
        let deadline = self.deadline();
        let mut backoff = self.client.backoff();
        loop {
            let broker = match whom {
                Whom::CoordinatorOf(group) => self.client.coordinator(group, deadline).await?,
                Whom::Broker(broker) => broker,
            };
            let reason = match self.client.connection_to(broker, Purpose::Requests).await {
                // It was asked nothing. Who has died just now is named as a coordinator until another one is found.
                Err(error @ (CallError::Lost(_) | CallError::TimedOut)) if whom.may_move() => error.to_string(),
                Err(error) => return Err(error.into()),
                Ok(connection) => {
                    let version = connection.version_of::<R>(version_max)?;
                    match read(connection.call_at(&write(version), version).await?) {
                        Ok(told) => return Ok((broker, told)),
                        Err(refused) if is_elsewhere(refused.code) => refused.to_string(),
                        Err(Refused { code, message }) => return Err(ClientError::Refused { code, what: message }),
                    }
                }
            };
            if !self.client.pause(&mut backoff, deadline).await {
                return Err(ClientError::TimedOut(reason));
            }
        }
    }
}

/// Who is asked about groups.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    /// Who knows this group; it is looked for each time.
    CoordinatorOf(&'a str),
    /// This one: of those that it coordinates.
    Broker(BrokerId),
}

impl Whom<'_> {
    fn may_move(self) -> bool {
        matches!(self, Whom::CoordinatorOf(_))
    }
}

/// Whether another broker knows the group, or this one will soon.
pub(super) fn is_elsewhere(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CoordinatorLoadInProgress | ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator
    )
}

pub(super) fn not_named() -> Refused {
    Refused { code: ErrorCode::UnknownServerError, message: "the broker's answer doesn't name the group".to_owned() }
}

fn classic(told: DescribedGroup, coordinator: BrokerId) -> GroupDescription {
    let are_consumers = told.protocol_type == CONSUMERS;
    let member = |told: DescribedGroupMember| {
        let given = Some(&told.member_assignment).filter(|_| are_consumers).map(protocol::assigned);
        let given = given.and_then(Result::ok).unwrap_or_default();
        let mut partitions: Vec<_> =
            given.into_iter().map(|(topic, partition)| (topic.to_string(), partition)).collect();
        partitions.sort();
        MemberDescription {
            id: told.member_id,
            instance: told.group_instance_id,
            client_id: told.client_id,
            host: told.client_host,
            partitions,
        }
    };
    let mut members: Vec<MemberDescription> = told.members.into_iter().map(member).collect();
    members.sort_by(|left, right| left.id.cmp(&right.id));
    GroupDescription {
        name: told.group_id,
        state: told.group_state,
        protocol_type: told.protocol_type,
        assignor: told.protocol_data,
        coordinator,
        members,
    }
}

fn newer(told: consumer_group_describe::DescribedGroup, coordinator: BrokerId) -> GroupDescription {
    let member = |told: consumer_group_describe::Member| {
        let given = told.assignment.topic_partitions.into_iter();
        let mut partitions: Vec<_> = given
            .flat_map(|given| given.partitions.into_iter().map(move |partition| (given.topic_name.clone(), partition)))
            .collect();
        partitions.sort();
        MemberDescription {
            id: told.member_id,
            instance: told.instance_id,
            client_id: told.client_id,
            host: told.client_host,
            partitions,
        }
    };
    let mut members: Vec<MemberDescription> = told.members.into_iter().map(member).collect();
    members.sort_by(|left, right| left.id.cmp(&right.id));
    GroupDescription {
        name: told.group_id,
        state: told.group_state,
        protocol_type: CONSUMERS.to_owned(),
        assignor: told.assignor_name,
        coordinator,
        members,
    }
}

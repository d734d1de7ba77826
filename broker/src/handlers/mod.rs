//! One file per API: what it does, which versions, and its rules.
//!
//! A handler has two phases. In the first it fixes the order: it runs on the connection's task, which reads no further
//! frame meanwhile. The second waits, if it must, and gives the answer. [`API`]s are listed once, in [`SERVED`]; what
//! ApiVersions says is derived from that list.

pub mod acls;
pub mod alter_configs;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
mod alterations;
pub mod api_versions;
mod by_partition;
pub mod create_partitions;
pub mod create_topics;
pub mod delegation_tokens;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod fetch;
pub mod find_coordinator;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod raft_voters;
mod resource;
pub mod sasl;
pub mod sync_group;
pub mod telemetry;
pub mod transactions;
pub mod unregister_broker;
pub mod update_features;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use thalweg_coordinators::cluster::NAME_LENGTH_MAX;
use thalweg_coordinators::groups;
use thalweg_messages::api::body_form;
use thalweg_messages::{Message, Response};
use thalweg_wire::ErrorCode;
use thalweg_wire::codec::{Decoder, Encoded, Form, STRING_BYTES_MAX};
use thalweg_wire::frame::{RequestHeader, begin_response, finish_frame};
use thalweg_world::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::broker::{Advertised, Shared};
use crate::budgets::{Awaits, Permit};
use crate::frames::Frame;
use crate::reply::Reply;

/// An API that this broker serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Api {
    /// Its number.
    pub key: i16,
    /// The versions that are answered.
    pub versions: RangeInclusive<i16>,
    /// The versions that ApiVersions lists; `None` for an API that isn't listed.
    pub advertised: Option<RangeInclusive<i16>>,
    /// How its requests stand to each other on a connection.
    pub flow: Flow,
}

/// How a request stands to those before and behind it on its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// The next is read while this one waits.
    Pipelined,
    /// Begins when all before it are answered. Others of its kind behind it begin when it is answered; one that waits for
    /// others, as a JoinGroup does, doesn't keep a Produce or a Fetch behind it from being taken.
    Barrier,
}

impl Api {
    /// A barrier that is advertised as it is served: most are.
    pub const fn new(key: i16, versions: RangeInclusive<i16>) -> Api {
        let advertised = Some(*versions.start()..=*versions.end());
        Api { key, versions, advertised, flow: Flow::Barrier }
    }
}

/// Every API that this broker serves, by key.
pub static SERVED: &[Api] = &[
    produce::API,
    fetch::API,
    list_offsets::API,
    metadata::API,
    offset_commit::API,
    offset_fetch::API,
    find_coordinator::API,
    join_group::API,
    heartbeat::API,
    leave_group::API,
    sync_group::API,
    describe_groups::API,
    list_groups::API,
    sasl::HANDSHAKE,
    api_versions::API,
    create_topics::API,
    delete_topics::API,
    delete_records::API,
    init_producer_id::API,
    offset_for_leader_epoch::API,
    acls::DESCRIBE,
    acls::CREATE,
    acls::DELETE,
    describe_configs::API,
    alter_configs::API,
    alter_replica_log_dirs::API,
    describe_log_dirs::API,
    sasl::AUTHENTICATE,
    create_partitions::API,
    delegation_tokens::CREATE,
    delegation_tokens::RENEW,
    delegation_tokens::EXPIRE,
    delegation_tokens::DESCRIBE,
    delete_groups::API,
    elect_leaders::API,
    incremental_alter_configs::API,
    alter_partition_reassignments::API,
    list_partition_reassignments::API,
    offset_delete::API,
    describe_client_quotas::API,
    describe_user_scram_credentials::API,
    describe_quorum::API,
    update_features::API,
    describe_cluster::API,
    describe_producers::API,
    unregister_broker::API,
    transactions::DESCRIBE,
    transactions::LIST,
    telemetry::GET,
    telemetry::PUSH,
    list_config_resources::API,
    describe_topic_partitions::API,
    raft_voters::ADD,
    raft_voters::REMOVE,
];

/// A request whose header is read; its body is not.
pub struct Request {
    /// Who sent it, and what the answer needs.
    pub head: Head,
    frame: Frame,
    body_at: usize,
    api: &'static Api,
}

/// What a request says before its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// The API's key.
    pub key: i16,
    /// The version of the messages.
    pub version: i16,
    /// Repeated in the answer.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Arc<str>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// The address that clients of its listener are told.
    pub advertised: Arc<Advertised>,
    /// Whether an answer that only waits for more to say is to leave.
    pub ending: Ending,
}

/// The connection, or the broker, is about to end, or a request waits behind and has no place for it: an answer that only
/// waits for more to say leaves now.
#[derive(Clone, Debug)]
pub struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Begins when the other side is told `true`, or is gone.
    pub fn new(ending: watch::Receiver<bool>) -> Ending {
        Ending(ending)
    }

    /// Resolves when the end begins.
    pub async fn begun(&mut self) {
        // An error is a connection that has ended.
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}

/// How a request is answered.
pub enum Answer {
    /// At once.
    Now(Reply),
    /// When the future is ready; `None` closes the connection after what came before.
    Later(BoxFuture<'static, Option<Reply>>),
    /// Not at all: `acks=0`.
    None,
}

/// The connection is to be closed without an answer, for this reason.
pub type Close = String;

impl Request {
    /// Reads the header of a frame. A frame that isn't a request of an API and version served closes the connection, as
    /// in Kafka; only ApiVersions is answered at versions that nobody knows.
    pub fn parse(
        frame: Frame,
        peer: SocketAddr,
        advertised: &Arc<Advertised>,
        ending: &Ending,
    ) -> Result<Request, Close> {
        let mut from = Decoder::new(&frame.bytes);
        let header = RequestHeader::decode(&mut from, body_form).map_err(|error| format!("a bad header: {error}"))?;
        let header = header.ok_or("an API that is not served")?;
        let api = SERVED.iter().find(|api| api.key == header.api_key).ok_or("an API that is not served")?;
        if !api.versions.contains(&header.api_version) && api.key != api_versions::API.key {
            return Err(format!("version {} of API {} is not served", header.api_version, header.api_key));
        }
        let head = Head {
            key: header.api_key,
            version: header.api_version,
            correlation_id: header.correlation_id,
            client_id: Arc::from(&*header.client_id),
            peer,
            advertised: advertised.clone(),
            ending: ending.clone(),
        };
        let body_at = from.position();
        Ok(Request { head, body_at, api, frame })
    }

    /// What it takes in memory, in bytes, before it is decoded.
    pub fn byte_length(&self) -> usize {
        self.frame.bytes.len()
    }

    /// What its handler may wait for in its first phase, with what it has decoded in hand. A handler that awaits anything
    /// there is to be named here.
    pub fn awaits(&self) -> Awaits {
        match self.head.key {
            1 => Awaits::Reading,
            2 | 21 | 23 | 61 => Awaits::Records,
            3 | 10 | 19 | 20 | 22 | 33 | 37 | 44 => Awaits::Metadata,
            _ => Awaits::Nobody,
        }
    }

    /// What covers its bytes.
    pub fn permit(&self) -> &Permit {
        &self.frame.permit
    }

    /// How it stands to other requests.
    pub fn flow(&self) -> Flow {
        self.api.flow
    }

    /// Reads the body. What follows it is ignored: librdkafka sends a few bytes too many (see `kafka-surface`).
    pub fn body<M: Message>(&self) -> Result<M, Close> {
        let mut from = Decoder::at(&self.frame.bytes, self.body_at, Form::Classic);
        M::decode(&mut from, self.head.version).map_err(|error| format!("a bad {}: {error}", M::NAME))
    }

    /// An answer at once.
    fn answered<R: Response>(&self, response: &R) -> Result<Answer, Close> {
        Ok(Answer::Now(self.head.answer(response)?.into()))
    }

    /// The body's bytes, for a handler that reads them without copying, with the permit that covers them.
    pub fn into_parts(self) -> (Head, bytes::Bytes, Permit) {
        (self.head, self.frame.bytes.slice(self.body_at..), self.frame.permit)
    }
}

impl Head {
    /// Where the client comes from, as Kafka says it.
    fn client_host(&self) -> String {
        format!("/{}", self.peer.ip())
    }

    /// Writes an answer, or closes the connection where it can't be written: the request had a name that is too long to
    /// be said again, once its bytes that are no UTF-8 are replaced.
    pub fn answer<R: Response>(&self, response: &R) -> Result<Encoded, Close> {
        self.answer_at(self.version, response)
    }

    /// Writes an answer at another version than that of the request, which only ApiVersions does.
    pub fn answer_at<R: Response>(&self, version: i16, response: &R) -> Result<Encoded, Close> {
        let form = Form::of(version, R::FLEXIBLE_FROM);
        let mut into = begin_response(self.key, self.correlation_id, form);
        let written = response.encode(&mut into, version);
        written.map_err(|error| format!("a {} of version {version} can't be written: {error}", R::NAME))?;
        Ok(finish_frame(into))
    }
}

/// An answer that comes when the future is ready. One that can't be written closes the connection.
fn later<R: Response>(head: Head, response: impl Future<Output = R> + Send + 'static) -> Answer {
    Answer::Later(Box::pin(async move { head.answer(&response.await).ok().map(Reply::from) }))
}

/// The same for an answer of which a turn, if it has one, lasts until it is sent.
fn gathered<R: Response>(
    head: Head,
    response: impl Future<Output = (R, Option<OwnedSemaphorePermit>)> + Send + 'static,
) -> Answer {
    Answer::Later(Box::pin(async move {
        let (response, turn) = response.await;
        let answer = head.answer(&response).ok()?;
        Some(match turn {
            Some(turn) => answer.kept_with(turn).into(),
            None => answer.into(),
        })
    }))
}

/// What a coordinator of groups has said, or why it could not be asked.
type Told = Result<groups::Answer, ErrorCode>;

/// A question to the coordinator of a group, and the answer that is made of what it says. It is asked when the answers
/// before are given, not in the first phase: it may take long, and then nobody else is to wait for it.
fn ask_group<R: Response>(
    shared: &Arc<Shared>,
    head: Head,
    permit: Permit,
    (group, question): (String, groups::Request),
    respond: impl FnOnce(Told) -> R + Send + 'static,
) -> Answer {
    let (shared, mut ending) = (shared.clone(), head.ending.clone());
    later(head, async move { respond(shared.groups.ask(&shared, &group, question, permit, &mut ending).await) })
}

/// What a client is told where a coordinator could not be asked, or answered something else: a mistake of ours.
fn no_answer(told: Told) -> ErrorCode {
    match told {
        Err(code) => code,
        Ok(answer) => {
            tracing::error!(?answer, "a coordinator answered another question");
            ErrorCode::UnknownServerError
        }
    }
}

/// A name that an answer can repeat: see [`Head::answer`]. For handlers that answer later.
fn answerable(name: Cow<'_, str>) -> Result<Cow<'_, str>, Close> {
    if name.len() > STRING_BYTES_MAX { Err("a name that no answer can repeat".to_owned()) } else { Ok(name) }
}

/// A name as a message about it repeats it: one that no topic can have is not repeated at length for each of its partitions.
fn in_short(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_LENGTH_MAX)]
}

/// What an answer says of an error, as long as an answer can say it: what it repeats of a request may fill a string alone.
fn in_an_answer(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(STRING_BYTES_MAX));
    words
}

/// Answers a request: the first phase is done when this returns.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let version = request.head.version;
    match request.head.key {
        0 => produce::handle(shared, request).await,
        1 => fetch::handle(shared, request).await,
        2 => request.answered(&list_offsets::handle(shared, request.body()?, version).await?),
        3 => request.answered(&metadata::handle(shared, &request.head, request.body()?).await),
        8 => offset_commit::handle(shared, request).await,
        9 => offset_fetch::handle(shared, request).await,
        10 => request.answered(&find_coordinator::handle(shared, &request.head, request.body()?).await),
        11 => join_group::handle(shared, request).await,
        12 => heartbeat::handle(shared, request).await,
        13 => leave_group::handle(shared, request).await,
        14 => sync_group::handle(shared, request).await,
        15 => describe_groups::handle(shared, request).await,
        16 => list_groups::handle(shared, request).await,
        17 => request.answered(&sasl::handshake(&request.body()?)),
        18 => Ok(Answer::Now(api_versions::handle(shared, &request)?.into())),
        19 => request.answered(&create_topics::handle(shared, request.body()?, version).await),
        20 => request.answered(&delete_topics::handle(shared, request.body()?, version).await),
        21 => request.answered(&delete_records::handle(shared, request.body()?).await?),
        22 => request.answered(&init_producer_id::handle(shared, request.body()?).await),
        23 => request.answered(&offset_for_leader_epoch::handle(shared, request.body()?).await?),
        29 => request.answered(&acls::describe(&request.body()?)),
        30 => request.answered(&acls::create(&request.body()?)?),
        31 => request.answered(&acls::delete(&request.body()?)?),
        32 => request.answered(&describe_configs::handle(shared, request.body()?, version)?),
        33 => request.answered(&alter_configs::handle(shared, request.body()?).await?),
        34 => request.answered(&alter_replica_log_dirs::handle(shared, request.body()?)?),
        35 => describe_log_dirs::handle(shared, request),
        36 => request.answered(&sasl::authenticate(&request.body()?)),
        37 => request.answered(&create_partitions::handle(shared, request.body()?).await),
        38 => request.answered(&delegation_tokens::create(&request.body()?, version)),
        39 => request.answered(&delegation_tokens::renew(&request.body()?)),
        40 => request.answered(&delegation_tokens::expire(&request.body()?)),
        41 => request.answered(&delegation_tokens::describe(&request.body()?)),
        42 => delete_groups::handle(shared, request).await,
        43 => request.answered(&elect_leaders::handle(shared, request.body()?, version)?),
        44 => request.answered(&incremental_alter_configs::handle(shared, request.body()?).await?),
        45 => request.answered(&alter_partition_reassignments::handle(shared, request.body()?)?),
        46 => request.answered(&list_partition_reassignments::handle(&request.body()?)),
        47 => offset_delete::handle(shared, request).await,
        48 => request.answered(&describe_client_quotas::handle(&request.body()?)?),
        50 => request.answered(&describe_user_scram_credentials::handle(request.body()?)?),
        55 => request.answered(&describe_quorum::handle(shared, request.body()?, version)?),
        57 => request.answered(&update_features::handle(shared, request.body()?)?),
        60 => request.answered(&describe_cluster::handle(shared, &request.head, &request.body()?)),
        61 => request.answered(&describe_producers::handle(shared, request.body()?).await?),
        64 => request.answered(&unregister_broker::handle(shared, &request.body()?)),
        65 => request.answered(&transactions::describe(request.body()?)?),
        66 => request.answered(&transactions::list(request.body()?)?),
        71 => request.answered(&telemetry::subscriptions(shared, &request.body()?)),
        72 => request.answered(&telemetry::push(shared, &request.body()?)),
        74 => request.answered(&list_config_resources::handle(shared, &request.body()?, version)),
        75 => request.answered(&describe_topic_partitions::handle(shared, request.body()?)),
        80 => request.answered(&raft_voters::add(shared, &request.body()?)),
        81 => request.answered(&raft_voters::remove(shared, &request.body()?)),
        key => Err(format!("API {key} is listed and not served")),
    }
}

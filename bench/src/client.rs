//! A connection for requests that aren't measured byte by byte: asks one, waits for its answer.

use std::net::SocketAddr;

use bytes::Bytes;
use thalweg_messages::create_topics::{CreatableTopic, CreateTopicsRequest, CreateTopicsResponse};
use thalweg_messages::{Message, Request};
use thalweg_wire::ErrorCode;
use thalweg_wire::codec::Decoder;
use thalweg_wire::frame::{FRAME_BYTES_MAX, decode_response_header, frame_length};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::requests::{self, CREATE_TOPICS_VERSION};
use crate::{Failure, Outcome};

/// A connection to the broker.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) async fn connect(to: SocketAddr) -> Outcome<Client> {
        Ok(Client { stream: connect(to).await? })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask<R: Request>(&mut self, request: &R, version: i16) -> Outcome<R::Response> {
        self.send(&requests::frame(request, version)?).await?;
        let answer = self.receive().await?;
        answer_of::<R>(&answer, version)
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Outcome<()> {
        self.stream.write_all(frame).await.map_err(Failure::at("a request can't be sent"))
    }

    /// Waits for the next answer, without its length.
    pub(crate) async fn receive(&mut self) -> Outcome<Bytes> {
        let failed = "an answer can't be read";
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.map_err(Failure::at(failed))?;
        let length = frame_length(prefix, FRAME_BYTES_MAX).map_err(Failure::at(failed))?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await.map_err(Failure::at(failed))?;
        Ok(answer.into())
    }

    /// Makes a topic, unless there is one of that name.
    pub(crate) async fn create_topic(&mut self, name: &str, partitions: u32) -> Outcome<()> {
        let answer = self.ask(&create_topics(&[(name, partitions)]), CREATE_TOPICS_VERSION).await?;
        refused(&answer, &[ErrorCode::None, ErrorCode::TopicAlreadyExists])
    }
}

/// A connection whose small requests leave at once.
pub(crate) async fn connect(to: SocketAddr) -> Outcome<TcpStream> {
    let failed = format!("can't connect to {to}");
    let stream = TcpStream::connect(to).await.map_err(Failure::at(&failed))?;
    stream.set_nodelay(true).map_err(Failure::at(&failed))?;
    Ok(stream)
}

/// Reads an answer without its length.
pub(crate) fn answer_of<R: Request>(answer: &Bytes, version: i16) -> Outcome<R::Response> {
    let unreadable = format!("the answer to {} can't be read", R::NAME);
    let form =
        R::Response::form(version).ok_or_else(|| Failure::new(format!("{} has no version {version}", R::NAME)))?;
    let mut from = Decoder::new(answer);
    decode_response_header(&mut from, R::API_KEY, form).map_err(Failure::at(&unreadable))?;
    R::Response::decode(&mut from, version).map_err(Failure::at(&unreadable))
}

/// A request for topics of one replica.
pub(crate) fn create_topics(topics: &[(&str, u32)]) -> CreateTopicsRequest {
    let topics = topics.iter().map(|&(name, partitions)| CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions.cast_signed(),
        replication_factor: 1,
        ..CreatableTopic::default()
    });
    CreateTopicsRequest { topics: topics.collect(), timeout_ms: 60_000, ..CreateTopicsRequest::default() }
}

/// Fails if a topic got another answer than these.
pub(crate) fn refused(answer: &CreateTopicsResponse, fine: &[ErrorCode]) -> Outcome<()> {
    let is_fine = |code: i16| fine.iter().any(|fine| fine.code() == code);
    match answer.topics.iter().find(|topic| !is_fine(topic.error_code)) {
        None => Ok(()),
        Some(topic) => {
            let said = topic.error_message.as_deref().unwrap_or_default();
            Err(Failure::new(format!("the topic {} was refused: {} {said}", topic.name, error_name(topic.error_code))))
        }
    }
}

/// Kafka's name of an error.
pub(crate) fn error_name(code: i16) -> String {
    ErrorCode::from_code(code).map_or_else(|| format!("error {code}"), |code| code.to_string())
}

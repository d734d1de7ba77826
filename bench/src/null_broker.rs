//! A broker that does next to nothing: what the client, the loopback and the codec cost without one.
//!
//! Three modes. *answer*: parse the request, answer it. *append*: check each batch's CRC-32C as well and append its bytes to
//! one file with a plain write, into the page cache: what any broker has to do that promises nothing about power cuts.
//! Fetches are answered out of a batch in memory; in the mode *sendfile* out of a file in the page cache, which the kernel
//! sends without a copy into this process. It runs as a broker does: tokio, one task per connection, the same codec.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes, BytesMut};
use thalweg_messages::api::{Api, body_form};
use thalweg_messages::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use thalweg_messages::create_topics::{CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse};
use thalweg_messages::fetch::{FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopicResponse, FetchView};
use thalweg_messages::metadata::{MetadataBroker, MetadataRequest, MetadataResponse};
use thalweg_messages::produce::{
    ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceTopicAnswer, ProduceView, encode_response,
};
use thalweg_messages::{Message, Request};
use thalweg_wire::batch::{Batch, Batches};
use thalweg_wire::codec::{Decoder, Encoded, Encoder, Piece};
use thalweg_wire::frame::{FRAME_BYTES_MAX, RequestHeader, begin_response, finish_frame, frame_length};
use thalweg_wire::{BrokerId, ErrorCode, Offset};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::requests::Shape;
use crate::{Failure, Outcome};

/// What is read at a time while no large frame is on its way.
const READ_BYTES: usize = 64 << 10;

/// Pieces in one vectored write.
const PIECES_MAX: usize = 64;

/// The answer to any fetch: ten batches of 1000 × 100 B.
const FETCHED: (usize, Shape) = (10, Shape { records: 1000, record_bytes: 100 });

/// How much it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Mode {
    /// Parse and answer
    Answer,
    /// Parse, check the CRC, append to one file
    Append,
    /// Parse and answer; what is fetched is sent by `sendfile`
    Sendfile,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Answer => "answer",
            Mode::Append => "append",
            Mode::Sendfile => "sendfile",
        })
    }
}

/// How to run one.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9092")]
    listen: SocketAddr,

    /// How much it does
    #[arg(long, value_name = "MODE", default_value = "answer")]
    mode: Mode,

    /// Where records are appended to, after it is emptied. Without one they go to /dev/null
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs until it is killed.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<()> {
    if !arguments.listen.ip().is_loopback() {
        return Err(Failure::new("it listens on this machine only: 127.0.0.1:PORT"));
    }
    let (address, serving) = start(&arguments.listen.to_string(), arguments.mode, arguments.file.as_deref()).await?;
    // The same words as a broker's, for whoever started it.
    println!("null broker: ready, Kafka protocol on {address}");
    serving.await.map_err(Failure::at("the listener"))
}

/// Listens, and serves in the background.
pub(crate) async fn start(listen: &str, mode: Mode, file: Option<&Path>) -> Outcome<(SocketAddr, JoinHandle<()>)> {
    let path = file.unwrap_or(Path::new("/dev/null"));
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    let mut file = file.map_err(Failure::at("can't open the file"))?;
    let listener = TcpListener::bind(listen).await.map_err(Failure::at("can't listen"))?;
    let address = listener.local_addr().map_err(Failure::at("can't listen"))?;
    let (batches, shape) = FETCHED;
    let fetched = Bytes::from(shape.batch().repeat(batches));
    if mode == Mode::Sendfile {
        file.write_all(&fetched).map_err(Failure::at("can't write the file"))?;
    }
    let shared = Arc::new(Shared {
        mode,
        address,
        to_send: file.try_clone().map_err(Failure::at("can't open the file"))?,
        file: Mutex::new(file),
        next: AtomicI64::new(0),
        fetched,
    });
    let serving = tokio::spawn(async move {
        // A failed accept is the end: the generator in front of it says that it can't connect.
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move {
                // Whatever ends a connection, the generator sees it and says so.
                let _ended = serve(&shared, stream).await;
            });
        }
    });
    Ok((address, serving))
}

struct Shared {
    mode: Mode,
    address: SocketAddr,
    file: Mutex<File>,
    /// The next offset: of all partitions together, since nobody looks.
    next: AtomicI64,
    /// What every fetch gets.
    fetched: Bytes,
    /// The file that has it, in the mode that sends from there.
    to_send: File,
}

async fn serve(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    let mut answers = VecDeque::new();
    loop {
        let mut missing = READ_BYTES;
        while let Some(prefix) = buffer.first_chunk::<4>() {
            let length = frame_length(*prefix, FRAME_BYTES_MAX).map_err(invalid)?;
            if buffer.len() < 4 + length {
                // No more than what has arrived again: a length is only a claim.
                missing = (4 + length - buffer.len()).min(buffer.len().max(READ_BYTES));
                break;
            }
            buffer.advance(4);
            let frame = buffer.split_to(length).freeze();
            let here = |piece| if let Piece::Here(bytes) = piece { Some(bytes) } else { None };
            answers.extend(answer(shared, &frame)?.into_pieces().into_iter().filter_map(here));
        }
        send(shared, &mut stream, &mut answers).await?;
        buffer.reserve(missing);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn send(shared: &Shared, stream: &mut TcpStream, pieces: &mut VecDeque<Bytes>) -> io::Result<()> {
    let in_file = |piece: &Bytes| shared.mode == Mode::Sendfile && piece.as_ptr() == shared.fetched.as_ptr();
    while let Some(first) = pieces.front() {
        if in_file(first) {
            send_file(stream, &shared.to_send, first.len()).await?;
            pieces.pop_front();
            continue;
        }
        let here = pieces.iter().take_while(|piece| !in_file(piece)).take(PIECES_MAX);
        let slices: Vec<IoSlice<'_>> = here.map(|piece| IoSlice::new(piece)).collect();
        let mut written = stream.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(first) = pieces.front_mut() {
            if written < first.len() {
                first.advance(written);
                break;
            }
            written -= first.len();
            pieces.pop_front();
        }
    }
    Ok(())
}

/// The file from its beginning on.
async fn send_file(stream: &TcpStream, file: &File, bytes: usize) -> io::Result<()> {
    let mut at = 0;
    while (at as usize) < bytes {
        let left = bytes - at as usize;
        stream.writable().await?;
        let send = || rustix::fs::sendfile(stream, file, Some(&mut at), left).map_err(io::Error::from);
        match stream.try_io(Interest::WRITABLE, send) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn answer(shared: &Shared, frame: &Bytes) -> io::Result<Encoded> {
    let mut from = Decoder::new(frame);
    let header = RequestHeader::decode(&mut from, body_form).map_err(invalid)?;
    let header = header.ok_or_else(|| invalid("an API that a null broker doesn't have"))?;
    let (key, version) = (header.api_key, header.api_version);
    let form = body_form(key, version).ok_or_else(|| invalid("an unknown API"))?;
    let mut into = begin_response(key, header.correlation_id, form);
    let body = frame.slice(from.position()..);
    let encoded = match key {
        ProduceRequest::API_KEY => produce(shared, body, version, &mut into)?,
        FetchRequest::API_KEY => fetched(shared, body, version)?.encode(&mut into, version),
        ApiVersionsRequest::API_KEY => api_versions().encode(&mut into, version),
        MetadataRequest::API_KEY => metadata(shared).encode(&mut into, version),
        CreateTopicsRequest::API_KEY => created(&mut from, version)?.encode(&mut into, version),
        _ => return Err(invalid("an API that a null broker doesn't have")),
    };
    encoded.map_err(|error| invalid(format!("{error:?}")))?;
    Ok(finish_frame(into))
}

fn produce(
    shared: &Shared,
    body: Bytes,
    version: i16,
    into: &mut Encoder,
) -> io::Result<Result<(), thalweg_wire::codec::EncodeError>> {
    let view = ProduceView::parse(body, version).map_err(invalid)?;
    let mut answers = Vec::new();
    for topic in view.topics() {
        let partitions: Vec<ProducePartitionResponse> =
            topic.partitions.clone().map(|partition| stored(shared, partition)).collect::<io::Result<_>>()?;
        answers.push((topic.name, topic.topic_id, partitions));
    }
    let topics = answers.into_iter().map(|(name, topic_id, partitions)| (name, topic_id, partitions.into_iter()));
    let topics: Vec<_> = topics.collect();
    let answers = topics.iter().map(|(name, topic_id, partitions)| ProduceTopicAnswer {
        name,
        topic_id: *topic_id,
        partitions: partitions.clone(),
    });
    Ok(encode_response(into, version, answers, 0, &[]))
}

/// Does with a partition's records what the mode says.
fn stored(shared: &Shared, partition: ProducePartition) -> io::Result<ProducePartitionResponse> {
    let index = partition.index;
    let refused = |code: ErrorCode| ProducePartitionResponse {
        index,
        error_code: code.code(),
        base_offset: Offset(-1),
        ..ProducePartitionResponse::default()
    };
    let records = partition.records.unwrap_or_default();
    let mut count = 0;
    if shared.mode == Mode::Append {
        let Ok(batches) = Batches::new(records.clone()).collect::<Result<Vec<Batch>, _>>() else {
            return Ok(refused(ErrorCode::CorruptMessage));
        };
        if batches.iter().any(|batch| batch.check().is_err()) {
            return Ok(refused(ErrorCode::CorruptMessage));
        }
        count = batches.iter().map(|batch| i64::from(batch.header().count())).sum();
        // On the connection's own task: into the page cache, it hardly ever waits.
        shared.file.lock().map_err(|_| invalid("a writer panicked"))?.write_all(&records)?;
    }
    let base_offset = Offset(shared.next.fetch_add(count, Ordering::Relaxed));
    Ok(ProducePartitionResponse { index, base_offset, ..ProducePartitionResponse::default() })
}

fn fetched(shared: &Shared, body: Bytes, version: i16) -> io::Result<FetchResponse> {
    let view = FetchView::parse(body, version).map_err(invalid)?;
    let topics = view.topics().map(|topic| FetchTopicResponse {
        topic: topic.topic.into_owned(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .map(|partition| FetchPartitionResponse {
                partition_index: partition.partition,
                records: Some(shared.fetched.clone()),
                ..FetchPartitionResponse::default()
            })
            .collect(),
        ..FetchTopicResponse::default()
    });
    Ok(FetchResponse { responses: topics.collect(), ..FetchResponse::default() })
}

fn api_versions() -> ApiVersionsResponse {
    let served = [(0, 3..=12), (1, 4..=12), (3, 0..=13), (18, 0..=4), (19, 2..=7)];
    let known = served.into_iter().filter(|(key, _)| Api::of_key(*key).is_some());
    let api_keys = known.map(|(api_key, versions)| ApiVersion {
        api_key,
        min_version: *versions.start(),
        max_version: *versions.end(),
        ..ApiVersion::default()
    });
    ApiVersionsResponse { api_keys: api_keys.collect(), ..ApiVersionsResponse::default() }
}

fn metadata(shared: &Shared) -> MetadataResponse {
    let broker = MetadataBroker {
        node_id: BrokerId(1),
        host: shared.address.ip().to_string(),
        port: i32::from(shared.address.port()),
        ..MetadataBroker::default()
    };
    MetadataResponse { brokers: vec![broker], controller_id: BrokerId(1), ..MetadataResponse::default() }
}

fn created(from: &mut Decoder<'_>, version: i16) -> io::Result<CreateTopicsResponse> {
    let request = CreateTopicsRequest::decode(from, version).map_err(invalid)?;
    let topics = request.topics.into_iter().map(|topic| CreatableTopicResult {
        name: topic.name,
        num_partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        ..CreatableTopicResult::default()
    });
    Ok(CreateTopicsResponse { topics: topics.collect(), ..CreateTopicsResponse::default() })
}

fn invalid<E: fmt::Display>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{self, Client};
    use crate::requests::{FETCH_VERSION, FetchFrame, next_offset};

    #[tokio::test]
    async fn it_answers_what_a_client_asks_first() {
        look_around(start("127.0.0.1:0", Mode::Answer, None).await.unwrap().0).await;
    }

    #[tokio::test]
    async fn what_is_sent_from_a_file_is_the_same() {
        let file = std::env::temp_dir().join(format!("thalweg-bench-sendfile-{}", std::process::id()));
        look_around(start("127.0.0.1:0", Mode::Sendfile, Some(&file)).await.unwrap().0).await;
        std::fs::remove_file(&file).unwrap();
    }

    /// Enough of the protocol that a generator, or a client that looks around first, finds its way.
    async fn look_around(address: SocketAddr) {
        let mut client = Client::connect(address).await.unwrap();
        let versions = client.ask(&ApiVersionsRequest::default(), 3).await.unwrap();
        assert!(versions.api_keys.iter().any(|api| api.api_key == 0 && api.max_version == 12));
        client.create_topic("t", 10).await.unwrap();
        let metadata = client.ask(&MetadataRequest::default(), 12).await.unwrap();
        assert_eq!(metadata.brokers[0].port, i32::from(address.port()));
        let request = FetchFrame::new("t", 0, 1 << 20).unwrap();
        client.send(&request.bytes).await.unwrap();
        let answer = client.receive().await.unwrap();
        assert!(client::answer_of::<FetchRequest>(&answer, FETCH_VERSION).is_ok());
        let framed = [&(answer.len() as u32).to_be_bytes(), &answer[..]].concat();
        assert_eq!(next_offset(request.read(&framed).unwrap().records), Some(1000));
    }
}

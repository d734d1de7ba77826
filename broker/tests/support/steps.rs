//! Requests in JSON and what came back: read from a fixture, sent as frames, compared in a form that no run's own ids
//! and ports disturb.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};
use thalweg_messages::api::Api;
use thalweg_messages::json::{MESSAGES, Named, from_base64, to_base64};
use thalweg_wire::codec::Decoder;
use thalweg_wire::frame::{RequestHeader, decode_response_header};

/// The correlation id of every step.
const CORRELATION_ID: i32 = 7;

/// ApiVersions v0 with a correlation id of its own: what is answered behind a request that isn't.
pub const PROBE: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 99, 0xff, 0xff];

/// Settings of topics that Kafka doesn't have.
const OURS: [&str; 2] = ["flush.mode", "storage.mode"];

/// Fields that differ from run to run, and what stands for them.
const VOLATILE: [(&str, i64); 8] = [
    ("port", 9092),
    ("finalizedFeaturesEpoch", 0),
    ("logAppendTimeMs", 1),
    ("totalBytes", 1),
    ("usableBytes", 1),
    ("logEndOffset", 1),
    ("lastFetchTimestamp", 1),
    ("lastCaughtUpTimestamp", 1),
];

/// What this run calls what the fixture names: topic ids by `$id:TOPIC`, the cluster's id by `$cluster`.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

/// One request.
pub struct Step {
    /// What it shows, and its name in tables of exceptions.
    pub what: String,
    api: &'static Api,
    version: i16,
    client: String,
    request: Value,
    silent: bool,
}

/// What came back.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    Answered(Value),
    Silent,
    Closed,
    Timeout,
}

impl Names {
    /// Learns ids from an answer.
    fn learn(&mut self, answer: &Value) {
        if let Some(id) = answer["clusterId"].as_str().filter(|id| !id.is_empty()) {
            self.0.insert("$cluster".to_owned(), id.to_owned());
        }
        for topic in answer["topics"].as_array().into_iter().flatten() {
            if let (Some(name), Some(id)) = (topic["name"].as_str(), topic["topicId"].as_str())
                && id != "AAAAAAAAAAAAAAAAAAAAAA"
            {
                self.0.insert(format!("$id:{name}"), id.to_owned());
            }
        }
    }

    fn resolve(&self, value: &mut Value) {
        self.replace(value, |(name, id), text| (name == text).then(|| id.clone()));
    }

    fn hide(&self, value: &mut Value) {
        self.replace(value, |(name, id), text| text.contains(id.as_str()).then(|| text.replace(id, name)));
    }

    fn replace(&self, value: &mut Value, other: impl Fn((&String, &String), &str) -> Option<String> + Copy) {
        match value {
            Value::String(text) => {
                if let Some(other) = self.0.iter().find_map(|pair| other(pair, text)) {
                    *text = other;
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.replace(element, other)),
            Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| self.replace(field, other)),
            _ => {}
        }
    }
}

impl Step {
    pub fn read(line: &Value) -> Step {
        let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{name} in {line}")).to_owned();
        let api = thalweg_messages::api::APIS.iter().find(|api| api.name == text("api"));
        Step {
            what: text("what"),
            api: api.unwrap_or_else(|| panic!("the API of {line}")),
            version: line["version"].as_i64().expect("a version") as i16,
            client: line["client"].as_str().unwrap_or("steps").to_owned(),
            request: line["request"].clone(),
            silent: !line["silent"].is_null(),
        }
    }

    /// Whether no answer is to be expected: a [`PROBE`] behind it shows whether there is one.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    pub fn resolve(&mut self, names: &Names) {
        names.resolve(&mut self.request);
    }

    /// The request's frame, with its length.
    pub fn frame(&self) -> Bytes {
        let header = RequestHeader {
            api_key: self.api.key,
            api_version: self.version,
            correlation_id: CORRELATION_ID,
            client_id: self.client.as_str().into(),
        };
        let mut frame = BytesMut::from(&header.begin_request(self.api.form(self.version)).finish().into_bytes()[..]);
        let body = (self.message("Request").write)(&self.request, self.version);
        frame.put(body.unwrap_or_else(|error| panic!("{}: {error:?}", self.what)).into_bytes());
        let length = frame.len() as u32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        frame.freeze()
    }

    /// What the answer says, as it can be compared.
    pub fn outcome(&self, frame: &Bytes, names: &mut Names) -> Outcome {
        if frame[..4] == PROBE[8..12] {
            return Outcome::Silent;
        }
        let mut from = Decoder::new(frame);
        let id = decode_response_header(&mut from, self.api.key, self.api.form(self.version)).expect("a header");
        assert_eq!(id, CORRELATION_ID, "{}", self.what);
        let body = frame.slice(from.position()..);
        let read = (self.message("Response").read)(&body, self.version)
            .unwrap_or_else(|error| panic!("{}: {error}", self.what));
        assert_eq!(read.rest, 0, "{}: bytes behind the answer", self.what);
        let mut answer = read.json;
        names.learn(&answer);
        names.hide(&mut answer);
        settle(&mut answer);
        Outcome::Answered(answer)
    }

    fn message(&self, kind: &str) -> &'static Named {
        let name = format!("{}{kind}", self.api.name);
        MESSAGES.iter().find(|message| message.name == name).expect("a message of each kind")
    }
}

impl Outcome {
    /// What a line of the fixture expects.
    pub fn read(line: &Value) -> Outcome {
        match line["outcome"].as_str() {
            Some("closed") => Outcome::Closed,
            Some("silent") => Outcome::Silent,
            Some("timeout") => Outcome::Timeout,
            Some(other) => panic!("outcome {other}"),
            None => {
                let mut answer = line["response"].clone();
                settle(&mut answer);
                Outcome::Answered(answer)
            }
        }
    }

    /// The same as a field of such a line.
    pub fn json(&self) -> (&'static str, Value) {
        match self {
            Outcome::Answered(answer) => ("response", answer.clone()),
            Outcome::Closed => ("outcome", json!("closed")),
            Outcome::Silent => ("outcome", json!("silent")),
            Outcome::Timeout => ("outcome", json!("timeout")),
        }
    }
}

/// Puts aside what no client looks at: the order of topics and partitions, this run's ports and times, a batch that the
/// limit cut in the middle.
fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, other) in VOLATILE {
                if let Some(field) = fields.get_mut(name)
                    && field.as_i64().is_some_and(|number| number > 0)
                {
                    *field = json!(other);
                }
            }
            // The metadata log's, which grows by itself.
            if fields.contains_key("currentVoters") {
                fields.insert("highWatermark".to_owned(), json!(0));
            }
            if let Some(Value::String(folder)) = fields.get_mut("logDir")
                && folder.starts_with('/')
            {
                "$folder".clone_into(folder);
            }
            // Kafka's own default of a new cluster comes by way of a dynamic setting.
            if fields.get("name").is_some_and(|name| name == "min.insync.replicas")
                && fields.get("configSource") == Some(&json!(3))
            {
                fields.insert("configSource".to_owned(), json!(5));
            }
            // The words of an answer to Produce are ours.
            for message in ["errorMessage", "batchIndexErrorMessage"] {
                if fields.contains_key("index") || fields.contains_key("batchIndex") {
                    fields.remove(message);
                }
            }
            if let Some(Value::String(records)) = fields.get_mut("records") {
                *records = to_base64(&whole_batches(&from_base64(records).expect("base64")));
            }
            fields.iter_mut().for_each(|(_, field)| settle(field));
        }
        Value::Array(elements) => {
            elements.retain(|element| !OURS.iter().any(|ours| element["name"] == *ours));
            elements.iter_mut().for_each(settle);
            if elements.iter().all(Value::is_object) {
                elements.sort_by_cached_key(place);
            }
        }
        _ => {}
    }
}

/// Where an element of an answer's array belongs.
fn place(element: &Value) -> (String, i64, String) {
    let words = ["name", "topic", "topicId"].map(|name| element[name].as_str().unwrap_or_default());
    let numbers = ["partitionIndex", "index", "apiKey", "nodeId"].map(|name| element[name].as_i64().unwrap_or(-1));
    (words.concat(), numbers.into_iter().max().unwrap_or(-1), element.to_string())
}

fn whole_batches(records: &[u8]) -> Vec<u8> {
    let mut end = 0;
    while let Some(length) = records.get(end + 8..end + 12) {
        let next = end + 12 + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        if next > records.len() {
            break;
        }
        end = next;
    }
    records[..end].to_vec()
}

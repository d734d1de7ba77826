//! What `interop/member.py` is for librdkafka: a member of a group that tells what happens to it, and can be killed.
//! Arguments and output are that program's.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use thalweg_client::consumer::{self, Reset};
use thalweg_client::group::{self, Assignor, Commit, CommitError, GroupConsumer, Polled};
use thalweg_client::{Client, ConsumeError, Options};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};

/// Often, so that a death finds something uncommitted and something committed.
const RECORDS_PER_COMMIT: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [settings, topic] = arguments.as_slice() else { return Err("usage: member SETTINGS TOPIC".into()) };
    let settings: Value = serde_json::from_str(settings)?;
    let text = |name: &str| settings[name].as_str().map(str::to_owned);
    let milliseconds = |name: &str, or: u64| Duration::from_millis(settings[name].as_u64().unwrap_or(or));
    let mut client = Options::to(&text("bootstrap.servers").ok_or("no bootstrap.servers")?);
    client.client_id = text("client.id").unwrap_or_default();
    let all = [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky];
    let wanted = text("partition.assignment.strategy").unwrap_or_else(|| "range".to_owned());
    let options = group::Options {
        instance: text("group.instance.id"),
        assignors: all.into_iter().filter(|assignor| assignor.name() == wanted).collect(),
        session_timeout: milliseconds("session.timeout.ms", 45_000),
        heartbeat_interval: milliseconds("heartbeat.interval.ms", 3000),
        auto_commit: None,
        ..group::Options::of(&text("group.id").ok_or("no group.id")?)
    };
    let reading = consumer::Options { reset: Reset::Earliest, ..consumer::Options::default() };
    let client = Client::new(thalweg_world::real::world()?, client);
    let is_static = options.instance.is_some();
    let consumer = GroupConsumer::join(client, options, &reading, [topic]);
    Member { topic, consumer, uncommitted: BTreeMap::new(), owned: Vec::new(), is_static }.run().await;
    Ok(())
}

struct Member<'a> {
    topic: &'a str,
    consumer: GroupConsumer,
    /// The next record of each partition.
    uncommitted: BTreeMap<i32, i64>,
    owned: Vec<i32>,
    is_static: bool,
}

impl Member<'_> {
    /// Reads until its input ends.
    async fn run(mut self) {
        let (leaves, mut leave) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(leaves);
        });
        let mut since_commit = 0;
        loop {
            let polled = tokio::select! {
                biased;
                _ = &mut leave => break,
                polled = tokio::time::timeout(Duration::from_millis(100), self.consumer.poll()) => polled,
            };
            match polled {
                Err(_) => self.commit().await,
                Ok(Ok(Polled::Assigned(partitions))) => {
                    let partitions = numbers(&partitions);
                    self.owned.extend(&partitions);
                    self.tell("assigned", &json!(partitions));
                }
                Ok(Ok(Polled::Revoked(partitions))) => {
                    self.commit().await;
                    self.drop("revoked", &numbers(&partitions));
                }
                Ok(Ok(Polled::Lost(partitions))) => self.drop("lost", &numbers(&partitions)),
                Ok(Ok(Polled::Records(records))) => {
                    let partition = records.partition().0;
                    for record in records.iter() {
                        let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
                        self.tell("read", &json!([partition, record.offset.0, value]));
                        self.uncommitted.insert(partition, record.offset.0 + 1);
                        since_commit += 1;
                        if since_commit >= RECORDS_PER_COMMIT {
                            self.commit().await;
                            since_commit = 0;
                        }
                    }
                }
                Ok(Err(ConsumeError::Group { code })) => {
                    let name = if code == ErrorCode::FencedInstanceId { "_FATAL".to_owned() } else { code.to_string() };
                    return self.tell("error", &json!(name));
                }
                Ok(Err(error)) => self.tell("error", &json!(error.to_string())),
            }
        }
        self.commit().await;
        // A static member keeps them over its end.
        if !self.is_static {
            let owned = std::mem::take(&mut self.owned);
            self.drop("revoked", &owned);
        }
        // It commits by itself alone.
        let _ = self.consumer.close().await;
    }

    /// What was read, with a word on it: behind it a zero, as librdkafka writes it, which asks for it back. What is answered
    /// is told.
    async fn commit(&mut self) {
        let words: Vec<(i32, i64, String)> =
            self.uncommitted.iter().map(|(&partition, &at)| (partition, at, format!("{partition}@{at}\0"))).collect();
        let commits: Vec<Commit<'_>> = (words.iter())
            .map(|(partition, at, word)| Commit {
                topic: self.topic,
                partition: *partition,
                offset: Offset(*at),
                metadata: word,
            })
            .collect();
        if commits.is_empty() {
            return;
        }
        match self.consumer.commit_at(&commits).await {
            Ok(()) => {
                let places: Vec<(i32, i64)> = std::mem::take(&mut self.uncommitted).into_iter().collect();
                self.tell("committed", &json!(places));
            }
            Err(CommitError::NotMember) => self.tell("refused", &json!("NotMember")),
            Err(error) => self.tell("refused", &json!(error.to_string())),
        }
    }

    /// Forgets partitions.
    fn drop(&mut self, how: &str, partitions: &[i32]) {
        self.uncommitted.retain(|partition, _| !partitions.contains(partition));
        self.owned.retain(|partition| !partitions.contains(partition));
        self.tell(how, &json!(partitions));
    }

    /// One event.
    fn tell(&self, what: &str, content: &Value) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let nanos = now.tv_sec * 1_000_000_000 + now.tv_nsec;
        // Whoever reads it may be gone.
        let _ = writeln!(std::io::stdout(), "{}", json!([nanos, what, self.consumer.generation(), content]));
    }
}

fn numbers(partitions: &[(std::sync::Arc<str>, PartitionIndex)]) -> Vec<i32> {
    partitions.iter().map(|(_, partition)| partition.0).collect()
}

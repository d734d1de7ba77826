//! Prints the values of a topic, from the beginning to where it ends now: `cargo run -p thalweg-client --example consume --
//! HOST:PORT TOPIC`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use thalweg_client::consumer::{self, Consumer};
use thalweg_client::{Client, Isolation, Options, Start};
use thalweg_wire::{Offset, PartitionIndex};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic] = arguments.as_slice() else { return Err("usage: consume HOST:PORT TOPIC".into()) };
    let world = thalweg_world::real::world()?;
    let deadline = world.clock.now() + Duration::from_secs(30);
    let client = Client::new(world, Options::to(bootstrap));
    // Partitions with something in them, and where each ends.
    let mut left = BTreeMap::new();
    for index in 0..client.partition_count(topic, deadline).await? {
        let partition = PartitionIndex(i32::try_from(index)?);
        let place = async |start| client.offset(topic, partition, start, Isolation::ReadCommitted, deadline).await;
        let (start, end) = (place(Start::Earliest).await?, place(Start::Latest).await?);
        if start < end {
            left.insert(partition, end);
        }
    }
    let options = consumer::Options { isolation: Isolation::ReadCommitted, ..consumer::Options::default() };
    let consumer = Consumer::new(client, options);
    consumer.assign(left.keys().map(|partition| (topic.as_str(), partition.0, Start::Earliest)));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while !left.is_empty() {
        let records = consumer.poll().await?;
        let end = left.get(&records.partition()).copied().unwrap_or(Offset(0));
        for record in records.iter().take_while(|record| record.offset < end) {
            out.write_all(record.value.unwrap_or_default())?;
            out.write_all(b"\n")?;
        }
        if records.next_offset() >= end {
            left.remove(&records.partition());
        }
    }
    out.flush()?;
    Ok(())
}

//! What is done behind the scene of a transcript: records that somebody wrote, before there was anything to see.

use thalweg_client::{Client, Options, Producer, Record, producer};
use thalweg_wire::Timestamp;
use thalweg_world::real;

/// People who are there for the length of a transcript.
pub struct Stage {
    address: String,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    pub fn at(address: &str) -> Stage {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Stage { address: address.to_owned(), runtime }
    }

    /// Follows a stage direction.
    pub fn direct(&mut self, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["write", topic, partition, values @ ..] => self.write(topic, partition.parse().unwrap(), values),
            _ => panic!("nobody knows how to {words:?}"),
        }
    }

    /// `write TOPIC PARTITION [@MILLIS] VALUE...`: a record of each value, of that time or of now.
    fn write(&self, topic: &str, partition: i32, values: &[&str]) {
        let at = values.first().and_then(|first| first.strip_prefix('@'));
        let at = at.map(|millis| Timestamp::from_millis(millis.parse().unwrap()));
        self.runtime.block_on(async {
            let client = Client::new(real::world().unwrap(), Options::to(&self.address));
            let producer = Producer::new(client, producer::Options::default());
            for value in values.iter().filter(|value| !value.starts_with('@')) {
                let record = Record::to(topic).partition(partition).value(*value);
                let record = at.map_or(record.clone(), |at| record.timestamp(at));
                producer.send(record).await.unwrap().await.unwrap();
            }
            producer.close().await;
        });
    }
}

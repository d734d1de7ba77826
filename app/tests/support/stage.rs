//! What is done behind the scene of a transcript: records that somebody wrote, and groups that somebody is in, before there
//! was anything to see.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use thalweg_client::group::Options as GroupOptions;
use thalweg_client::{Admin, Client, GroupConsumer, Options, Polled, Producer, Record, consumer, producer};
use thalweg_wire::{Offset, PartitionIndex, Timestamp};
use thalweg_world::real;

use super::{Running, files, text, thalweg};

/// People who are there for the length of a transcript.
pub struct Stage {
    address: String,
    folder: PathBuf,
    runtime: tokio::runtime::Runtime,
    /// Who is in a group, by its name.
    members: HashMap<String, GroupConsumer>,
}

impl Stage {
    pub fn at(address: &str, folder: &Path) -> Stage {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Stage { address: address.to_owned(), folder: folder.to_owned(), runtime, members: HashMap::new() }
    }

    fn client(&self) -> Client {
        Client::new(real::world().unwrap(), Options::to(&self.address))
    }

    /// Follows a stage direction.
    pub fn direct(&mut self, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["write", topic, partition, values @ ..] => self.write(topic, partition.parse().unwrap(), values),
            ["commit", group, topic, partition, offset] => {
                self.commit(group, topic, PartitionIndex(partition.parse().unwrap()), Offset(offset.parse().unwrap()));
            }
            ["join", group, topic] => self.join(group, topic),
            ["leave", group] => self.leave(group),
            ["serve", folder, "with", topic, values @ ..] => self.serve(folder, topic, values),
            words if files::direct(&self.folder, words) => {}
            _ => panic!("nobody knows how to {words:?}"),
        }
    }

    /// `serve FOLDER with TOPIC [@MILLIS] VALUE...`: the data of a broker of ours that had these records, and stopped.
    fn serve(&self, folder: &str, topic: &str, values: &[&str]) {
        let serve = thalweg(&["serve", "--listen", "127.0.0.1:0", "--data", folder], &self.folder);
        let broker = Running::start(serve);
        let made = thalweg(&["topic", "create", topic, "--bootstrap", &broker.address], &self.folder).output().unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        Stage::at(&broker.address, &self.folder).write(topic, 0, values);
        broker.tell(Signal::TERM);
        let (code, _, log) = broker.end();
        assert_eq!(code, Some(0), "{log}");
    }

    /// `write TOPIC PARTITION [@MILLIS] VALUE...`: a record of each value, of that time or of now.
    fn write(&self, topic: &str, partition: i32, values: &[&str]) {
        let at = values.first().and_then(|first| first.strip_prefix('@'));
        let at = at.map(|millis| Timestamp::from_millis(millis.parse().unwrap()));
        self.runtime.block_on(async {
            let producer = Producer::new(self.client(), producer::Options::default()).unwrap();
            for value in values.iter().filter(|value| !value.starts_with('@')) {
                let record = Record::to(topic).partition(partition).value(*value);
                let record = at.map_or(record.clone(), |at| record.timestamp(at));
                producer.send(record).await.unwrap().await.unwrap();
            }
            producer.close().await;
        });
    }

    /// `commit GROUP TOPIC PARTITION OFFSET`: the group, which has no members, has read so far.
    fn commit(&self, group: &str, topic: &str, partition: PartitionIndex, offset: Offset) {
        self.runtime.block_on(async {
            let admin = Admin::new(self.client());
            let outcomes = admin.set_group_offsets(group, &[(topic, partition, offset)]).await.unwrap();
            assert_eq!(outcomes, [Ok(())]);
        });
    }

    /// `join GROUP TOPIC`: somebody joins, has been given partitions, and stays, reading nothing.
    fn join(&mut self, group: &str, topic: &str) {
        let member = self.runtime.block_on(async {
            let options = GroupOptions { auto_commit: None, ..GroupOptions::of(group) };
            let mut member = GroupConsumer::join(self.client(), options, &consumer::Options::default(), [topic]);
            while !matches!(member.poll().await.unwrap(), Polled::Assigned(_)) {}
            member
        });
        self.members.insert(group.to_owned(), member);
    }

    /// `leave GROUP`: who joined it leaves.
    fn leave(&mut self, group: &str) {
        let member = self.members.remove(group).unwrap();
        self.runtime.block_on(member.close()).unwrap();
    }
}

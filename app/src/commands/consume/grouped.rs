//! Reads as a member of a group: what was printed is committed, and what was not is somebody's next.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use thalweg_client::consumer::{self, Reset};
use thalweg_client::group::{self, Commit, CommitError, GroupConsumer, Polled};
use thalweg_client::{Client, Records};
use thalweg_wire::{Moment, Offset, PartitionIndex, Timestamp};

use super::assigned::{chosen, ends};
use super::bounds::From;
use super::printer::{self, Printer};
use super::{Consume, unreadable};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::signals::Signals;

/// How often what was printed is committed.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// How often it looks whether there is something else to do than to wait for records.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// How long what is being printed may still take behind a Ctrl-C.
const LAST_WRITE_MAX: Duration = Duration::from_secs(1);

type Partition = (Arc<str>, PartitionIndex);

struct Reader<'a> {
    of: &'a Consume,
    client: Client,
    now: Timestamp,
    member: GroupConsumer,
    printer: Printer,
    owned: BTreeSet<Partition>,
    /// Where those end.
    ends: BTreeMap<Partition, Offset>,
    /// Printed, and not committed yet: of each the offset behind.
    printed: BTreeMap<Partition, Offset>,
    next_commit: Moment,
    last_came: Moment,
}

/// Why it reads no more.
enum End {
    Enough,
    Interrupted,
}

pub(super) async fn read(
    of: &Consume,
    group: &str,
    client: Client,
    now: Timestamp,
    signals: &mut Signals,
) -> Result<(), Failure> {
    // A member of a group that reads nothing would wait without a word.
    tokio::select! {
        biased;
        chosen = chosen(of, &client) => drop(chosen?),
        _ = signals.next() => return of.interrupted(&of.printer()),
    }
    let reset = if of.from == Some(From::End { back: 0 }) { Reset::Latest } else { Reset::Earliest };
    let reading = consumer::Options { isolation: of.isolation(), reset, ..consumer::Options::default() };
    let mut options =
        group::Options { instance: of.membership.instance.clone(), auto_commit: None, ..group::Options::of(group) };
    if let Some(sharing) = of.membership.assignor {
        options.assignors = vec![sharing.into()];
    }
    let member = GroupConsumer::join(client.clone(), options, &reading, of.topics.iter().cloned());
    let start = client.world().clock.now();
    let mut reader = Reader {
        of,
        client,
        now,
        member,
        printer: of.printer(),
        owned: BTreeSet::new(),
        ends: BTreeMap::new(),
        printed: BTreeMap::new(),
        next_commit: start + COMMIT_INTERVAL,
        last_came: start,
    };
    let ended = reader.run(signals).await;
    let Reader { member, printer, printed, .. } = reader;
    let committed = tokio::select! {
        biased;
        committed = finish(of, member, &printed) => committed,
        _ = signals.next() => return of.interrupted(&printer),
    };
    match ended? {
        End::Enough => committed,
        End::Interrupted => committed.and(of.interrupted(&printer)),
    }
}

impl Reader<'_> {
    async fn run(&mut self, signals: &mut Signals) -> Result<End, Failure> {
        while !self.printer.has_enough() && !self.is_at_the_end() {
            let clock = self.client.world().clock.clone();
            let polled = tokio::select! {
                biased;
                polled = self.member.poll() => Some(polled),
                _ = signals.next() => return Ok(End::Interrupted),
                () = clock.sleep(LOOK_INTERVAL) => None,
            };
            match polled {
                Some(polled) => {
                    self.last_came = clock.now();
                    let polled = polled.map_err(|error| unreadable(&error))?;
                    let mut dealing = pin!(self.deal_with(polled));
                    tokio::select! {
                        biased;
                        done = &mut dealing => done?,
                        _ = signals.next() => {
                            // What is half printed is printed, and then committed, unless nobody takes it.
                            tokio::select! {
                                biased;
                                done = dealing => done?,
                                _ = signals.next() => {}
                                () = clock.sleep(LAST_WRITE_MAX) => {}
                            }
                            return Ok(End::Interrupted);
                        }
                    }
                }
                None if self.of.idle.is_some_and(|idle| clock.now() >= self.last_came + idle) => {
                    return Ok(End::Enough);
                }
                None => {}
            }
            if clock.now() >= self.next_commit {
                self.commit().await;
                self.next_commit = clock.now() + COMMIT_INTERVAL;
            }
        }
        Ok(End::Enough)
    }

    async fn deal_with(&mut self, polled: Polled) -> Result<(), Failure> {
        match polled {
            Polled::Records(records) => self.print(&records).await,
            Polled::Assigned(partitions) => {
                if let Some(until) = self.of.until {
                    let named = partitions.iter().map(|(topic, index)| (topic.to_string(), *index)).collect();
                    let ends = ends(self.of, until, named, &self.client, self.now).await?;
                    self.ends.extend(ends.into_iter().map(|((topic, index), end)| ((Arc::from(topic), index), end)));
                }
                self.owned.extend(partitions);
                Ok(())
            }
            Polled::Revoked(partitions) => {
                self.commit().await;
                self.forget(&partitions);
                Ok(())
            }
            Polled::Lost(partitions) => {
                let lost = partitions.iter().any(|partition| self.printed.contains_key(partition));
                self.forget(&partitions);
                match lost {
                    true => output::note("the group took partitions away: some of what was printed will be read again"),
                    false => Ok(()),
                }
            }
        }
    }

    async fn print(&mut self, records: &Records) -> Result<(), Failure> {
        let partition = (records.topic().clone(), records.partition());
        let until = self.ends.get(&partition).copied();
        let mut text = Vec::new();
        let behind = self.printer.render(records, until, &mut text);
        printer::write(text).await?;
        if until.is_some_and(|until| records.next_offset() >= until) {
            // What lies behind the end is for whoever comes later.
            let _paused = self.member.pause(&partition.0, partition.1.0);
        }
        self.printed.insert(partition, behind);
        Ok(())
    }

    /// Whether all that it was given is read.
    fn is_at_the_end(&self) -> bool {
        let is_read = |(topic, index): &Partition| {
            let end = self.ends.get(&(topic.clone(), *index));
            end.is_some_and(|end| self.member.position(topic, index.0).is_some_and(|at| at >= *end))
        };
        self.of.until.is_some() && !self.owned.is_empty() && self.owned.iter().all(is_read)
    }

    fn forget(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            self.owned.remove(partition);
            self.ends.remove(partition);
            self.printed.remove(partition);
        }
    }

    /// Commits what was printed; what can't be is tried again later.
    async fn commit(&mut self) {
        if !self.of.membership.no_commit && commit(&self.member, &self.printed).await.is_ok() {
            self.printed.clear();
        }
    }
}

async fn commit(member: &GroupConsumer, printed: &BTreeMap<Partition, Offset>) -> Result<(), CommitError> {
    let commits = printed.iter().map(|((topic, partition), offset)| Commit {
        topic,
        partition: partition.0,
        offset: *offset,
        metadata: "",
    });
    member.commit_at(&commits.collect::<Vec<_>>()).await
}

/// The last commit, and farewell.
async fn finish(of: &Consume, member: GroupConsumer, printed: &BTreeMap<Partition, Offset>) -> Result<(), Failure> {
    let committed = if of.membership.no_commit { Ok(()) } else { commit(&member, printed).await };
    // It commits nothing by itself.
    let committed = committed.and(member.close().await);
    committed.map_err(|error| {
        let next = "the group will read the last records again; 'thalweg group describe' shows where it is";
        Failure::new(Exit::Failed, format!("not everything that was printed is committed: {error}"), next)
    })
}

//! Reads partitions that it chooses itself.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use thalweg_client::consumer::{self, Consumer, Reset};
use thalweg_client::{Admin, Client, ClientError, Start};
use thalweg_wire::{Moment, Offset, PartitionIndex, Timestamp};

use super::bounds::{Begin, From, Until};
use super::{Consume, printer, unreadable};
use crate::commands::topic::look_up;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::signals::Signals;

/// Questions to partitions' leaders that are on their way at one time.
const TOGETHER_MAX: usize = 64;

/// A partition, by name.
pub(super) type Partition = (String, PartitionIndex);

/// What is read of a partition.
struct Stretch {
    partition: Partition,
    begin: Begin,
    until: Option<Offset>,
}

pub(super) async fn read(of: &Consume, client: Client, now: Timestamp, signals: &mut Signals) -> Result<(), Failure> {
    let planned = tokio::select! {
        biased;
        planned = plan(of, &client, now) => planned?,
        _ = signals.next() => return of.interrupted(&of.printer()),
    };
    let mut left = begun(planned)?;
    let options = consumer::Options { isolation: of.isolation(), reset: Reset::Fail, ..consumer::Options::default() };
    let consumer = Consumer::new(client.clone(), options);
    let places =
        left.iter().map(|((topic, partition), (begin, _))| (topic.as_str(), partition.0, Start::Offset(*begin)));
    consumer.assign(places);
    let mut printer = of.printer();
    while !left.is_empty() && !printer.has_enough() {
        let polled = tokio::select! {
            biased;
            polled = of.within_idle(&client, consumer.poll()) => polled,
            _ = signals.next() => return of.interrupted(&printer),
        };
        let Some(polled) = polled else { return Ok(()) };
        let records = polled.map_err(|error| unreadable(&error))?;
        let partition = (records.topic().to_string(), records.partition());
        let Some((_, until)) = left.get(&partition).copied() else { continue };
        let mut text = Vec::new();
        printer.render(&records, until, &mut text);
        tokio::select! {
            biased;
            written = printer::write(text) => written?,
            _ = signals.next() => return of.interrupted(&printer),
        }
        if until.is_some_and(|until| records.next_offset() >= until) {
            left.remove(&partition);
            // It would be fetched on and on; that it may be gone already is no matter.
            let _paused = consumer.pause(&partition.0, partition.1.0);
        }
    }
    Ok(())
}

/// Asks where all partitions are to be begun and ended.
async fn plan(of: &Consume, client: &Client, now: Timestamp) -> Result<Vec<Stretch>, Failure> {
    let deadline = client.world().clock.now() + client.options().request_timeout;
    let partitions = chosen(of, client).await?;
    let from = of.from.unwrap_or(From::Beginning);
    let asked = partitions.into_iter().map(|partition| async move {
        let (topic, index) = (partition.0.as_str(), partition.1);
        let ask = async |start| client.offset(topic, index, start, of.isolation(), deadline).await;
        let extent = ask(Start::Earliest).await?..ask(Start::Latest).await?;
        let begin = from.place(ask(from.question(now)).await?, &extent);
        let until = match of.until {
            Some(until) => Some(ask(until.question(now)).await?),
            None => None,
        };
        Ok::<_, ClientError>(Stretch { partition, begin, until })
    });
    Ok(stream::iter(asked).buffered(TOGETHER_MAX).try_collect().await?)
}

/// The partitions that are to be read.
pub(super) async fn chosen(of: &Consume, client: &Client) -> Result<Vec<Partition>, Failure> {
    let (found, failures) = look_up(&Admin::new(client.clone()), &of.topics).await?;
    Failure::of_several(0, failures)?;
    let mut chosen = Vec::new();
    for topic in found {
        let all: Vec<PartitionIndex> = topic.partitions.iter().map(|partition| partition.index).collect();
        let wanted = of.partitions.as_ref().unwrap_or(&all);
        if let Some(missing) = wanted.iter().find(|index| !all.contains(index)) {
            let what = format!("topic {} has no partition {}", topic.name, missing.0);
            let next = format!("it has {}: 'thalweg topic describe {}' shows them", all.len(), topic.name);
            return Err(Failure::new(Exit::Refused, what, next));
        }
        chosen.extend(wanted.iter().map(|index| (topic.name.clone(), *index)));
    }
    Ok(chosen)
}

/// Where each partition in which there is something to read begins and ends. What is gone is said aloud.
fn begun(planned: Vec<Stretch>) -> Result<BTreeMap<Partition, (Offset, Option<Offset>)>, Failure> {
    let mut begun = BTreeMap::new();
    for Stretch { partition, begin, until } in planned {
        let (topic, index) = (&partition.0, partition.1.0);
        let begin = match begin {
            Begin::At(offset) => offset,
            Begin::Gone { first } => {
                output::note(&format!("{topic}/{index} begins at offset {first}: what was before is deleted"))?;
                first
            }
            Begin::NotYet { end } => {
                let what = format!("{topic}/{index} ends at offset {end}");
                let next = "--from end waits for what comes; --partitions chooses those that are longer";
                return Err(Failure::new(Exit::Refused, what, next));
            }
        };
        if until.is_none_or(|until| begin < until) {
            begun.insert(partition, (begin, until));
        }
    }
    Ok(begun)
}

/// Where partitions end that are given to a member of a group.
pub(super) async fn ends(
    of: &Consume,
    until: Until,
    partitions: Vec<Partition>,
    client: &Client,
    now: Timestamp,
) -> Result<Vec<(Partition, Offset)>, Failure> {
    let deadline: Moment = client.world().clock.now() + client.options().request_timeout;
    let asked = partitions.into_iter().map(|partition| async move {
        let asked = client.offset(&partition.0, partition.1, until.question(now), of.isolation(), deadline);
        let end = asked.await?;
        Ok::<_, ClientError>((partition, end))
    });
    Ok(stream::iter(asked).buffered(TOGETHER_MAX).try_collect().await?)
}

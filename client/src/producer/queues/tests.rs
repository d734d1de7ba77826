//! What the queues do, one by one: partitions, times and answers in, batches out.

use super::*;
use thalweg_wire::Offset;

const LINGER: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(300);

fn at(millis: u64) -> Moment {
    Moment::from_nanos(1_000_000_000) + Duration::from_millis(millis)
}

/// Batches of one record each, two of a partition in flight.
fn queues() -> Queues {
    let rules = Rules { linger: LINGER, batch_bytes: 1, in_flight_max: 2, delivery_timeout: TIMEOUT, max_idle: IDLE };
    let mut queues = Queues::new(rules);
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(0) }, at(0));
    queues
}

fn push_first(queues: &mut Queues, partition: i32, now: Moment) -> Delivery {
    let fields = Fields { timestamp: Timestamp::from_millis(0), key: None, value: Some(b"v"), headers: &[] };
    queues.push("t", PartitionIndex(partition), fields, now).0
}

/// To a partition that knows the producer already.
fn push(queues: &mut Queues, partition: i32, now: Moment) -> Delivery {
    let (id, identity) = (queues.queue("t", PartitionIndex(partition), now), queues.identity);
    let queue = &mut queues.queues[id.0];
    if queue.identity.is_none() {
        (queue.identity, queue.is_established) = (identity, true);
    }
    push_first(queues, partition, now)
}

/// What may be sent: partition, number of the batch, epoch and first sequence number.
fn sendable(queues: &mut Queues, now: Moment) -> Vec<(i32, u64, i16, i32)> {
    let mut taken = Vec::new();
    loop {
        let due = queues.due(now);
        if due.is_empty() {
            return taken;
        }
        for id in due {
            if let Some(outgoing) = queues.take(id, BrokerId(1), now) {
                let header = outgoing.batch.header();
                let place = queues.place(id).1.0;
                taken.push((place, outgoing.number, header.producer_epoch().0, header.base_sequence()));
            }
        }
    }
}

fn first() -> QueueId {
    QueueId(0, 0)
}

fn stored(base: i64) -> Outcome {
    Outcome::Stored(Stored { base: Offset(base), append_time: Timestamp::NONE })
}

fn again() -> Outcome {
    Outcome::Again("not the leader".to_owned())
}

#[test]
fn a_batch_waits_for_more_until_it_is_full_or_has_lingered() {
    let mut queues = queues();
    queues.rules.batch_bytes = 200;
    let small = push(&mut queues, 0, at(0));
    assert_eq!(sendable(&mut queues, at(4)), []);
    assert_eq!(queues.deadline(), Some(at(5)));
    assert_eq!(push(&mut queues, 0, at(4)).index, 1);
    assert_eq!(sendable(&mut queues, at(5)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, stored(40), at(6));
    assert_eq!(small.told().unwrap().unwrap().offset, Offset(40));
    // Full before its time.
    (0..20).for_each(|_| drop(push(&mut queues, 0, at(7))));
    assert_eq!(sendable(&mut queues, at(7)), [(0, 3, 0, 2)]);
    assert!(queues.released() > 0);
}

#[test]
fn what_is_sent_again_keeps_its_number_and_its_place() {
    let mut queues = queues();
    let deliveries: Vec<_> = (0..3).map(|_| push(&mut queues, 0, at(0))).collect();
    assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (0, 2, 0, 1)]);
    queues.done(first(), 1, again(), at(1));
    // The third would overtake it, and so would it the second.
    assert_eq!(sendable(&mut queues, at(500)), []);
    queues.done(first(), 2, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(500));
    assert!(!queues.wants_epoch(), "of course it is out of order: the first is missing");
    assert_eq!(sendable(&mut queues, at(1_000)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, stored(0), at(1_000));
    assert_eq!(sendable(&mut queues, at(1_000)), [(0, 2, 0, 1), (0, 3, 0, 2)]);
    queues.done(first(), 2, stored(1), at(1_000));
    queues.done(first(), 3, stored(2), at(1_000));
    assert!(queues.is_settled());
    let offsets = deliveries.iter().map(|delivery| delivery.told().unwrap().unwrap().offset.0);
    assert_eq!(offsets.collect::<Vec<_>>(), [0, 1, 2]);
}

// A broker takes any number for the first of a producer that it doesn't know: the second must not come before it.
#[test]
fn nothing_follows_the_first_batch_before_it_is_there() {
    let mut queues = queues();
    drop((push_first(&mut queues, 0, at(0)), push_first(&mut queues, 0, at(0))));
    assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, again(), at(0));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, stored(0), at(100));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 2, 0, 1)]);
}

#[test]
fn what_is_on_its_way_to_one_broker_is_not_followed_to_another() {
    let mut queues = queues();
    drop((push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))));
    assert!(queues.take(first(), BrokerId(1), at(0)).is_some());
    assert!(queues.take(first(), BrokerId(2), at(0)).is_none());
    queues.done(first(), 1, stored(0), at(0));
    assert!(queues.take(first(), BrokerId(2), at(0)).is_some());
}

// An answer speaks of one time that it was sent: what may be there from before may be there still.
#[test]
fn that_it_may_be_there_is_not_forgotten_over_a_later_answer() {
    let mut queues = queues();
    let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))];
    assert_eq!(sendable(&mut queues, at(0)).len(), 2);
    queues.done(first(), 2, stored(1), at(0));
    queues.done(first(), 1, Outcome::Unknown("cut off".to_owned()), at(0));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, again(), at(100));
    assert_eq!(sendable(&mut queues, at(1_000)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(1_000));
    assert_eq!(deliveries[0].told(), Some(Err(DeliveryError::Unknown)), "never behind the second, never twice");
    assert!(!queues.wants_epoch() && queues.is_settled());
}

#[test]
fn what_was_sent_before_a_refused_batch_goes_on_in_its_epoch() {
    let mut queues = queues();
    let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))];
    assert_eq!(sendable(&mut queues, at(0)).len(), 2);
    queues.done(first(), 1, Outcome::Unknown("cut off".to_owned()), at(0));
    queues.done(first(), 2, Outcome::Refused(ErrorCode::MessageTooLarge, String::new()), at(0));
    assert!(!queues.wants_epoch());
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, stored(0), at(100));
    assert!(queues.wants_epoch());
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(100));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 3, 1, 0)]);
    assert!(deliveries[0].told().unwrap().is_ok());
}

#[test]
fn a_partition_that_fails_pauses_longer_each_time_and_holds_no_other_up() {
    let mut queues = queues();
    drop((push(&mut queues, 0, at(0)), push(&mut queues, 1, at(0))));
    assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (1, 2, 0, 0)]);
    queues.done(first(), 1, again(), at(0));
    assert_eq!(queues.deadline(), Some(at(100)));
    assert_eq!(sendable(&mut queues, at(100)).len(), 1);
    queues.done(first(), 1, again(), at(100));
    assert_eq!(sendable(&mut queues, at(299)), []);
    assert_eq!(sendable(&mut queues, at(300)).len(), 1);
    drop(push(&mut queues, 1, at(300)));
    assert_eq!(sendable(&mut queues, at(300)), [(1, 3, 0, 1)]);
}

// KIP-360: the numbers of a new epoch begin at 0, and other partitions go on in theirs.
#[test]
fn behind_a_refused_batch_the_numbers_begin_anew() {
    let mut queues = queues();
    let deliveries: Vec<_> = (0..3).map(|_| push(&mut queues, 0, at(0))).collect();
    drop(push(&mut queues, 1, at(0)));
    assert_eq!(sendable(&mut queues, at(0)).len(), 3);
    queues.done(first(), 1, Outcome::Refused(ErrorCode::InvalidRecord, String::new()), at(0));
    assert!(!queues.wants_epoch(), "the second is still on its way");
    assert_eq!(sendable(&mut queues, at(1)), []);
    queues.done(first(), 2, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(1));
    assert!(queues.wants_epoch());
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(1));
    assert_eq!(sendable(&mut queues, at(1_000)), [(0, 2, 1, 0)], "the first of its epoch goes alone");
    drop(push(&mut queues, 1, at(1_000)));
    assert_eq!(sendable(&mut queues, at(1_000)), [(1, 5, 0, 1)], "its first is on its way in the old epoch");
    assert!(matches!(deliveries[0].told(), Some(Err(DeliveryError::Refused { .. }))));
    assert_eq!(deliveries[1].told(), None);
}

// In a new epoch the broker would not recognise it, and have it twice.
#[test]
fn what_may_be_there_already_is_never_numbered_anew() {
    let mut queues = queues();
    let deliveries: Vec<_> = (0..2).map(|_| push(&mut queues, 0, at(0))).collect();
    assert_eq!(sendable(&mut queues, at(0)).len(), 2);
    queues.done(first(), 2, Outcome::Unknown("cut off".to_owned()), at(0));
    queues.done(first(), 1, Outcome::Refused(ErrorCode::InvalidRecord, String::new()), at(0));
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(0));
    assert_eq!(deliveries[1].told(), Some(Err(DeliveryError::Unknown)));
    assert!(queues.is_settled());
}

#[test]
fn what_takes_too_long_is_given_up_and_its_memory_is_free() {
    let mut queues = queues();
    let (sent, waits) = (push(&mut queues, 0, at(0)), push(&mut queues, 1, at(1)));
    let charged = 2 * Fields { timestamp: Timestamp::NONE, key: None, value: Some(b"v"), headers: &[] }.bytes();
    assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (1, 2, 0, 0)]);
    queues.done(QueueId(0, 0), 1, Outcome::Unknown("cut off".to_owned()), at(9_000));
    queues.done(QueueId(1, 0), 2, again(), at(9_000));
    assert_eq!(queues.due(at(10_000)).len(), 1, "the other has a millisecond left");
    assert_eq!(sent.told(), Some(Err(DeliveryError::TimedOut { reason: "cut off".to_owned() })));
    assert_eq!(waits.told(), None);
    queues.due(at(10_001));
    assert!(matches!(waits.told(), Some(Err(DeliveryError::TimedOut { .. }))));
    assert_eq!((queues.released(), queues.is_settled()), (charged, true));
    assert!(queues.wants_epoch(), "both numbers are used up");
}

#[test]
fn what_has_no_leader_waits_and_what_never_will_have_one_is_told_so() {
    let mut queues = queues();
    let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 1, at(0))];
    assert_eq!(queues.due(at(0)).len(), 2);
    queues.postpone(QueueId(0, 0), "nobody leads it", at(0));
    queues.refuse(QueueId(1, 0), ErrorCode::TopicAuthorizationFailed, "topic t");
    assert!(matches!(deliveries[1].told(), Some(Err(DeliveryError::Refused { .. }))));
    assert_eq!((deliveries[0].told(), queues.deadline()), (None, Some(at(100))));
    assert_eq!(sendable(&mut queues, at(99)), []);
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    assert!(queues.released() > 0);
}

#[test]
fn a_batch_that_closes_in_a_pause_is_sent_behind_it() {
    let mut queues = queues();
    queues.rules.batch_bytes = 1_000;
    drop(push(&mut queues, 0, at(0)));
    queues.postpone(first(), "nobody leads it", at(0));
    assert_eq!(sendable(&mut queues, at(5)), []);
    assert_eq!(queues.deadline(), Some(at(100)));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
}

#[test]
fn a_flush_sends_what_lingers_and_nothing_that_comes_later() {
    let mut queues = queues();
    queues.rules.batch_bytes = 1_000;
    drop(push(&mut queues, 0, at(0)));
    assert_eq!(queues.flush(at(1)).len(), 1);
    assert_eq!(sendable(&mut queues, at(1)), [(0, 1, 0, 0)]);
    drop(push(&mut queues, 0, at(1)));
    assert_eq!(sendable(&mut queues, at(2)), []);
}

#[test]
fn sequence_numbers_begin_again_behind_the_largest() {
    let mut queues = queues();
    drop(push(&mut queues, 0, at(0)));
    assert_eq!(sendable(&mut queues, at(0)).len(), 1);
    queues.done(first(), 1, stored(0), at(0));
    queues.queues[0].next_sequence = i32::MAX;
    drop((push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))));
    assert_eq!(sendable(&mut queues, at(0)), [(0, 2, 0, i32::MAX), (0, 3, 0, 0)]);
}

fn too_long() -> Outcome {
    Outcome::TooLong(ErrorCode::MessageTooLarge, String::new())
}

/// Two batches of four records, both on their way.
fn two_of_four(queues: &mut Queues) -> Vec<Delivery> {
    queues.rules.batch_bytes = 1_000;
    let mut deliveries = Vec::new();
    for _ in 0..2 {
        deliveries.extend((0..4).map(|_| push(queues, 0, at(0))));
        drop(queues.flush(at(0)));
        assert_eq!(sendable(queues, at(0)).len(), 1);
    }
    deliveries
}

fn offsets(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries.iter().map(|delivery| delivery.told().unwrap().unwrap().offset.0).collect()
}

// The broker has not used the numbers of the batch, and refuses those behind it until they come: so they stay as they are.
#[test]
fn a_batch_that_is_too_long_is_cut_and_its_records_keep_their_numbers() {
    let mut queues = queues();
    let deliveries = two_of_four(&mut queues);
    queues.done(first(), 1, too_long(), at(0));
    assert_eq!(sendable(&mut queues, at(0)), [], "the second would be in the way");
    queues.done(first(), 5, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(0));
    assert!(!queues.wants_epoch());
    assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, too_long(), at(100));
    for (number, sequence) in [(1, 0), (2, 1), (3, 2)] {
        assert_eq!(deliveries[sequence as usize].told(), None);
        assert_eq!(sendable(&mut queues, at(100)), [(0, number, 0, sequence)]);
        queues.done(first(), number, stored(i64::from(10 * sequence)), at(100));
    }
    assert_eq!(sendable(&mut queues, at(100)), [(0, 5, 0, 4)]);
    queues.done(first(), 5, stored(50), at(100));
    assert_eq!(offsets(&deliveries), [0, 10, 20, 21, 50, 51, 52, 53]);
    let charged = 8 * Fields { timestamp: Timestamp::NONE, key: None, value: Some(b"v"), headers: &[] }.bytes();
    assert_eq!((queues.released(), queues.is_settled()), (charged, true));
}

#[test]
fn behind_a_batch_that_was_too_long_they_are_shorter() {
    let mut queues = queues();
    drop(two_of_four(&mut queues));
    queues.done(first(), 1, too_long(), at(0));
    drop((push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))));
    let waiting = queues.queues[0].waiting.iter().map(|closed| closed.batch.header().count());
    assert_eq!(waiting.collect::<Vec<_>>(), [2, 2, 1, 1]);
}

#[test]
fn a_record_that_is_too_long_by_itself_is_refused_alone() {
    let mut queues = queues();
    let deliveries = two_of_four(&mut queues);
    queues.done(first(), 5, Outcome::Unknown("cut off".to_owned()), at(0));
    for number in [1, 1] {
        queues.done(first(), number, too_long(), at(0));
        drop(sendable(&mut queues, at(100)));
    }
    queues.done(first(), 1, too_long(), at(100));
    assert!(matches!(deliveries[0].told(), Some(Err(DeliveryError::Refused { code: ErrorCode::MessageTooLarge, .. }))));
    assert!(deliveries[1..].iter().all(|delivery| delivery.told().is_none()));
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(100));
    assert_eq!(sendable(&mut queues, at(100)), [(0, 2, 1, 0)], "its number is used up");
    assert_eq!(deliveries[4].told(), Some(Err(DeliveryError::Unknown)));
}

// The answer speaks of the last time that it was sent. The broker knows the old numbers and takes no piece of them.
#[test]
fn what_may_be_there_is_not_there_twice_for_being_cut() {
    let mut queues = queues();
    let deliveries = two_of_four(&mut queues);
    queues.done(first(), 5, again(), at(0));
    queues.done(first(), 1, Outcome::Unknown("cut off".to_owned()), at(0));
    drop(sendable(&mut queues, at(1_000)));
    queues.done(first(), 1, too_long(), at(1_000));
    assert_eq!(sendable(&mut queues, at(1_000)), [(0, 1, 0, 0)]);
    queues.done(first(), 1, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(1_000));
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(1_000));
    assert!(deliveries[..4].iter().all(|delivery| delivery.told() == Some(Err(DeliveryError::Unknown))));
    assert_eq!(sendable(&mut queues, at(2_000)), [(0, 5, 1, 0)]);
}

#[test]
fn what_is_on_its_way_is_told_at_its_time_and_nothing_is_numbered_in_its_place() {
    let mut queues = queues();
    let deliveries: Vec<_> = (0..3).map(|_| push(&mut queues, 0, at(0))).collect();
    let later = push(&mut queues, 0, at(9_000));
    assert_eq!(sendable(&mut queues, at(9_000)).len(), 2);
    assert_eq!(queues.deadline(), Some(at(10_000)));
    queues.due(at(10_000));
    assert!(deliveries.iter().all(|each| matches!(each.told(), Some(Err(DeliveryError::TimedOut { .. })))));
    let one = Fields { timestamp: Timestamp::NONE, key: None, value: Some(b"v"), headers: &[] }.bytes();
    assert_eq!(queues.released(), one, "the connection still holds two");
    assert_eq!((later.told(), queues.deadline()), (None, Some(at(19_000))));
    assert_eq!(sendable(&mut queues, at(10_000)), [], "two are in flight as ever");
    // The first is there after all: the numbers go on. Of the second nobody knows.
    queues.done(first(), 1, stored(0), at(11_000));
    assert!(!queues.wants_epoch());
    assert_eq!(sendable(&mut queues, at(11_000)), [(0, 4, 0, 2)]);
    queues.done(first(), 2, Outcome::Unknown("cut off".to_owned()), at(12_000));
    assert!(!queues.wants_epoch(), "one is on its way behind it");
    queues.done(first(), 4, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(12_000));
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(12_000));
    assert_eq!(sendable(&mut queues, at(13_000)), [(0, 4, 1, 0)]);
    queues.done(first(), 4, stored(1), at(13_000));
    assert_eq!(later.told().unwrap().unwrap().offset, Offset(1));
    assert_eq!((queues.released(), queues.is_settled()), (3 * one, true));
}

#[test]
fn what_is_on_its_way_past_its_time_is_not_cut_and_not_sent_again() {
    for outcome in [too_long(), again(), Outcome::Renumber(ErrorCode::InvalidProducerEpoch)] {
        let mut queues = queues();
        let deliveries = two_of_four(&mut queues);
        queues.due(at(10_000));
        assert!(queues.is_settled() && deliveries.iter().all(|each| each.told().is_some()));
        queues.done(first(), 5, stored(0), at(10_000));
        queues.done(first(), 1, outcome, at(10_000));
        assert_eq!((sendable(&mut queues, at(20_000)), queues.deadline()), (Vec::new(), None));
        assert!(queues.queues[0].sent.is_empty() && queues.released() > 0);
    }
}

// A broker that still knows its numbers would refuse those that begin again.
#[test]
fn an_idle_partition_is_forgotten_and_begins_in_a_new_epoch_if_it_comes_back() {
    let mut queues = queues();
    for (partition, base) in [(0, 40), (1, 50), (2, 60)] {
        drop(push(&mut queues, partition, at(0)));
        let [(_, number, 0, 0)] = sendable(&mut queues, at(0))[..] else { panic!("one batch") };
        // The answer for the last is still to come.
        if partition < 2 {
            queues.done(QueueId(partition as usize, 0), number, stored(base), at(0));
        }
    }
    drop(push(&mut queues, 1, at(200_000)));
    assert_eq!(sendable(&mut queues, at(200_000)), [(1, 4, 0, 1)]);
    queues.done(QueueId(1, 0), 4, stored(51), at(200_000));
    queues.due(at(300_000));
    assert_eq!(queues.vacant, [0]);
    // What goes on goes on in its epoch.
    drop(push(&mut queues, 1, at(300_000)));
    assert_eq!(sendable(&mut queues, at(300_000)), [(1, 5, 0, 2)]);
    let back = push_first(&mut queues, 0, at(300_000));
    assert_eq!((sendable(&mut queues, at(300_000)), queues.wants_epoch()), (Vec::new(), true));
    queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(300_000));
    assert_eq!(sendable(&mut queues, at(300_000)), [(0, 6, 1, 0)]);
    queues.done(QueueId(0, 1), 6, stored(41), at(300_000));
    assert_eq!(back.told().unwrap().unwrap().offset, Offset(41));
    // Nothing was forgotten in this epoch: whoever is new begins in it.
    drop(push_first(&mut queues, 3, at(300_000)));
    assert_eq!(sendable(&mut queues, at(300_000)), [(3, 7, 1, 0)]);
}

// Somebody may have held its number all the time, to say that it has no leader.
#[test]
fn what_is_said_of_a_forgotten_partition_is_not_heard_by_who_has_its_place() {
    let mut queues = queues();
    drop(push(&mut queues, 0, at(0)));
    sendable(&mut queues, at(0));
    queues.done(first(), 1, stored(0), at(0));
    queues.due(at(300_000));
    assert!(queues.by_name.is_empty());
    queues.identity = Some(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) });
    let other = push_first(&mut queues, 5, at(300_000));
    assert_eq!((queues.queues.len(), queues.place(QueueId(0, 1)).1), (1, PartitionIndex(5)));
    queues.refuse(first(), ErrorCode::InvalidTopicException, "");
    queues.postpone(first(), "nobody leads the partition", at(300_000));
    assert_eq!(queues.take(first(), BrokerId(1), at(300_000)).map(|taken| taken.number), None);
    assert_eq!(sendable(&mut queues, at(300_000)), [(5, 2, 1, 0)]);
    assert_eq!(other.told(), None);
}

//! Groups as an administrator of a simulated broker sees and changes them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use support::{broker, client, create, story};
use thalweg_client::group::{Commit, Options};
use thalweg_client::{Admin, ClientError, GroupConsumer, Polled, consumer};
use thalweg_wire::{BrokerId, ErrorCode, Offset, PartitionIndex};

const ZERO: PartitionIndex = PartitionIndex(0);
const ONE: PartitionIndex = PartitionIndex(1);

/// Where a group stands.
async fn places(admin: &Admin, group: &str) -> Vec<(String, i32, i64)> {
    let offsets = admin.group_offsets(group).await.unwrap();
    offsets.into_iter().map(|each| (each.topic, each.partition.0, each.offset.0)).collect()
}

fn place(topic: &str, partition: i32, offset: i64) -> (String, i32, i64) {
    (topic.to_owned(), partition, offset)
}

#[test]
fn offsets_of_a_group_without_members_are_set_and_forgotten() {
    story(1, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let admin = Admin::new(client(&sim.world));
        create(&sim.world, "s", 1, &[]).await;
        create(&sim.world, "t", 2, &[]).await;
        assert_eq!(places(&admin, "g").await, []);
        let wanted =
            [("t", ONE, Offset(7)), ("s", ZERO, Offset(5)), ("nowhere", ZERO, Offset(1)), ("t", ZERO, Offset(3))];
        let outcomes = admin.set_group_offsets("g", &wanted).await.unwrap();
        assert!(outcomes[0].is_ok() && outcomes[1].is_ok() && outcomes[3].is_ok(), "{outcomes:?}");
        assert_eq!(outcomes[2].as_ref().unwrap_err().code, ErrorCode::UnknownTopicOrPartition);
        assert_eq!(places(&admin, "g").await, [place("s", 0, 5), place("t", 0, 3), place("t", 1, 7)]);

        let group = admin.group("g").await.unwrap();
        assert_eq!(
            (group.state.as_str(), group.members.as_slice(), group.coordinator),
            ("Empty", &[][..], BrokerId(1))
        );
        let listed = admin.groups().await.unwrap();
        assert_eq!(listed.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["g"]);
        assert_eq!((listed[0].state.as_deref(), listed[0].kind.as_deref()), (Some("Empty"), Some("classic")));

        let outcomes = admin.delete_group_offsets("g", &[("t", ONE), ("s", ZERO)]).await.unwrap();
        assert_eq!(outcomes, [Ok(()), Ok(())]);
        assert_eq!(places(&admin, "g").await, [place("t", 0, 3)]);
        let deleted = admin.delete_groups(&["g", "h"]).await.unwrap();
        assert_eq!(deleted[0], ("g".to_owned(), Ok(())));
        assert_eq!(deleted[1].1.as_ref().unwrap_err().code, ErrorCode::GroupIdNotFound);
        assert_eq!(admin.groups().await, Ok(vec![]));
        let missing = admin.group("g").await;
        assert!(matches!(missing, Err(ClientError::Refused { code: ErrorCode::GroupIdNotFound, .. })), "{missing:?}");
    });
}

#[test]
fn more_partitions_than_a_request_takes_are_set_in_several() {
    story(2, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let admin = Admin::new(client(&sim.world));
        create(&sim.world, "t", 1200, &[]).await;
        let wanted: Vec<_> = (0..1200).map(|index| ("t", PartitionIndex(index), Offset(i64::from(index)))).collect();
        let outcomes = admin.set_group_offsets("g", &wanted).await.unwrap();
        assert_eq!(outcomes.len(), 1200);
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(places(&admin, "g").await, (0..1200).map(|n| place("t", n, i64::from(n))).collect::<Vec<_>>());
    });
}

#[test]
fn members_are_told_of_with_what_they_read_and_are_not_pulled_away() {
    story(3, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let client = client(&sim.world);
        let admin = Admin::new(client.clone());
        create(&sim.world, "t", 2, &[]).await;
        let group = Options { instance: Some("first".to_owned()), ..Options::of("g") };
        let mut member = GroupConsumer::join(client, group, &consumer::Options::default(), ["t"]);
        while !matches!(member.poll().await.unwrap(), Polled::Assigned(_)) {}

        let group = admin.group("g").await.unwrap();
        assert_eq!((group.state.as_str(), group.protocol_type.as_str()), ("Stable", "consumer"));
        assert_eq!((group.assignor.as_str(), group.members.len()), ("range", 1));
        let told = &group.members[0];
        assert_eq!((told.instance.as_deref(), told.client_id.as_str()), (Some("first"), "thalweg"));
        assert_eq!(told.partitions, [("t".to_owned(), ZERO), ("t".to_owned(), ONE)]);

        let outcomes = admin.set_group_offsets("g", &[("t", ZERO, Offset(0))]).await.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap_err().code, ErrorCode::UnknownMemberId);
        let deleted = admin.delete_groups(&["g"]).await.unwrap();
        assert_eq!(deleted[0].1.as_ref().unwrap_err().code, ErrorCode::NonEmptyGroup);
        let commit = Commit { topic: "t", partition: 0, offset: Offset(0), metadata: "" };
        member.commit_at(&[commit]).await.unwrap();
        let outcomes = admin.delete_group_offsets("g", &[("t", ZERO)]).await.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap_err().code, ErrorCode::GroupSubscribedToTopic);
    });
}

//! What an administrator asks a simulated broker for is done, and seen.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;

use support::{broker, client, story};
use thalweg_client::admin::{Change, Mode, NewTopic, Resource, Source};
use thalweg_client::{Admin, ClientError, Producer, Record, Start, producer};
use thalweg_wire::{BrokerId, ErrorCode, Offset, PartitionIndex, Uuid};

#[test]
fn topics_are_made_described_grown_and_deleted() {
    story(1, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let admin = Admin::new(client(&sim.world));
        let configs = BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]);
        let river = NewTopic { partitions: Some(3), configs, ..NewTopic::named("river") };
        let checked = admin.create_topics([river.clone()], Mode::Check).await.unwrap();
        assert!(checked[0].1.is_ok());
        assert_eq!(admin.topics().await.unwrap(), []);

        let made = admin.create_topics([river.clone(), NewTopic::named("a b")], Mode::Do).await.unwrap();
        let (name, made_of) = &made[0];
        assert_eq!((name.as_str(), made_of.as_ref().unwrap().partitions), ("river", 3));
        assert_eq!(made[1].1.as_ref().unwrap_err().code, ErrorCode::InvalidTopicException);
        let again = admin.create_topics([river], Mode::Do).await.unwrap();
        assert_eq!(again[0].1.as_ref().unwrap_err().code, ErrorCode::TopicAlreadyExists);

        let described = admin.describe_topics(&["river", "nope"]).await.unwrap();
        let river = described[0].1.as_ref().unwrap();
        assert_ne!(river.id, Uuid::ZERO);
        assert_eq!(river.partitions.iter().map(|each| each.index.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(river.partitions.iter().all(|each| each.leader == BrokerId(1) && each.in_sync == [BrokerId(1)]));
        assert_eq!(described[1].1.as_ref().unwrap_err().code, ErrorCode::UnknownTopicOrPartition);
        let listed = admin.topics().await.unwrap();
        assert_eq!(listed.len(), 1, "asking made none: {listed:?}");

        let grown = admin.create_partitions(&[("river", 5), ("nope", 2)], Mode::Do).await.unwrap();
        assert!(grown[0].1.is_ok() && grown[1].1.is_err());
        let listed = &admin.topics().await.unwrap()[0];
        assert_eq!((listed.partitions, listed.replication_factor), (5, 1));

        let deleted = admin.delete_topics(&["river", "nope"]).await.unwrap();
        assert!(deleted[0].1.is_ok() && deleted[1].1.is_err());
        assert_eq!(admin.topics().await.unwrap(), []);
    });
}

#[test]
fn settings_are_read_and_changed() {
    story(2, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let admin = Admin::new(client(&sim.world));
        admin.create_topics([NewTopic::named("t")], Mode::Do).await.unwrap();
        let topic = Resource::Topic("t".to_owned());
        let shown = async |of: &Resource, name: &str| {
            let settings = admin.configs(of).await.unwrap();
            let setting = settings.into_iter().find(|setting| setting.name == name).unwrap();
            (setting.value, setting.source)
        };
        assert_eq!(shown(&topic, "cleanup.policy").await, (Some("delete".to_owned()), Source::Default));
        let changes =
            [("cleanup.policy", Change::Append("compact".to_owned())), ("retention.ms", Change::Set("5".to_owned()))];
        admin.alter_configs(&topic, &changes, Mode::Check).await.unwrap();
        assert_eq!(shown(&topic, "retention.ms").await.1, Source::Default);
        admin.alter_configs(&topic, &changes, Mode::Do).await.unwrap();
        assert_eq!(shown(&topic, "cleanup.policy").await, (Some("delete,compact".to_owned()), Source::Topic));
        admin
            .alter_configs(&topic, &[("cleanup.policy", Change::Subtract("delete".to_owned()))], Mode::Do)
            .await
            .unwrap();
        admin.alter_configs(&topic, &[("retention.ms", Change::Reset)], Mode::Do).await.unwrap();
        assert_eq!(shown(&topic, "cleanup.policy").await.0.as_deref(), Some("compact"));
        assert_eq!(shown(&topic, "retention.ms").await.1, Source::Default);

        let bad = admin.alter_configs(&topic, &[("retention.ms", Change::Set("soon".to_owned()))], Mode::Do).await;
        let Err(ClientError::Refused { code, what }) = bad else { panic!("{bad:?}") };
        assert_eq!(code, ErrorCode::InvalidConfig);
        assert!(what.contains("soon"), "{what}");

        let broker = Resource::Broker(BrokerId(1));
        let change = [("message.max.bytes", Change::Set("2000000".to_owned()))];
        admin.alter_configs(&Resource::AllBrokers, &change, Mode::Do).await.unwrap();
        assert_eq!(shown(&broker, "message.max.bytes").await, (Some("2000000".to_owned()), Source::AllBrokers));
        assert!(admin.configs(&Resource::Topic("nope".to_owned())).await.is_err());
        assert!(admin.configs(&Resource::Broker(BrokerId(9))).await.is_err());
    });
}

#[test]
fn records_are_deleted_and_the_cluster_is_described() {
    story(3, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let client = client(&sim.world);
        let admin = Admin::new(client.clone());
        admin.create_topics([NewTopic::named("t")], Mode::Do).await.unwrap();
        let producer = Producer::new(client, producer::Options::default()).unwrap();
        for _ in 0..10 {
            drop(producer.send(Record::to("t").value("v")).await.unwrap());
        }
        producer.close().await;
        let zero = PartitionIndex(0);
        assert_eq!(admin.delete_records("t", zero, Some(Offset(4))).await, Ok(Offset(4)));
        let asked = [("t", zero), ("t", PartitionIndex(7))];
        let extents = admin.extents(&asked).await;
        assert_eq!(extents[0], Ok(Offset(4)..Offset(10)));
        assert!(extents[1].is_err(), "{extents:?}");
        let found = admin.offsets(&[("t", zero, Start::Latest), ("t", zero, Start::Earliest)]).await;
        assert_eq!(found, [Ok(Offset(10)), Ok(Offset(4))]);
        assert_eq!(admin.delete_records("t", zero, None).await, Ok(Offset(10)));
        let refused = admin.delete_records("t", zero, Some(Offset(99))).await;
        assert!(matches!(refused, Err(ClientError::Refused { code: ErrorCode::OffsetOutOfRange, .. })), "{refused:?}");

        let cluster = admin.cluster().await.unwrap();
        assert_eq!((cluster.controller, cluster.brokers.len()), (BrokerId(1), 1));
        assert_eq!((cluster.brokers[0].host.as_str(), cluster.brokers[0].port), ("127.0.0.1", 9092));
        assert!(!cluster.id.is_empty());
        let features = admin.features(BrokerId(1)).await.unwrap();
        let metadata = features.iter().find(|feature| feature.name == "metadata.version").unwrap();
        assert!(metadata.lowest <= metadata.highest && metadata.highest > 0, "{features:?}");
        let topics = admin.describe_every_topic().await.unwrap();
        assert_eq!(topics.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["t"]);
    });
}

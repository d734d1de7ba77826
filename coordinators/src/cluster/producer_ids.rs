//! Producer ids, a block at a time: no id is ever given out twice, and most cost no entry of the log (Kafka's
//! AllocateProducerIds).

use thalweg_messages::metadata_log::ProducerIdsRecord;
use thalweg_wire::{BrokerId, ProducerId};

use super::controller::Reply;
use super::image::Image;
use crate::machine::Decision;

/// Ids in a block. What of it is left at a broker's stop is never given out.
pub const PRODUCER_IDS_PER_BLOCK: i64 = 1000;

pub(super) fn decide(image: &Image, broker: BrokerId) -> Decision<Image> {
    let first = image.next_producer_id();
    let next = ProducerId(first.0 + PRODUCER_IDS_PER_BLOCK);
    let record = ProducerIdsRecord {
        broker_id: broker,
        broker_epoch: image.broker(broker).map_or(-1, |broker| broker.epoch().0),
        next_producer_id: next,
        ..Default::default()
    };
    Decision { records: vec![record.into()], reply: Reply::ProducerIds(first..next) }
}

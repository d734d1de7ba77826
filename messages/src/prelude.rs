//! The names that every generated module uses, and those that the next schema file will.
#![allow(unused_imports)]

pub(crate) use crate::message::{Message, Record, Request, Response};
pub(crate) use bytes::Bytes;
pub(crate) use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder, UnknownTag};
pub(crate) use thalweg_wire::{BrokerId, LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Uuid};

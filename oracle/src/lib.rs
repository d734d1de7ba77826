//! A second opinion on the codec: `tests/` holds it against `kafka-protocol`, which others generated from Kafka's schema.
#![forbid(unsafe_code)]

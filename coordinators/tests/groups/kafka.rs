//! What a real Kafka left behind.

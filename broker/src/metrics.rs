//! What a broker counts of itself, where somebody may read it: counters that only grow, and gauges.
//!
//! Counters are atomics that connections add to; a gauge is asked of whoever keeps it when it is read, so none can drift.
//! [`measures`] gives all of them under the names that Prometheus would have: `_total` is a counter, anything else a gauge.

use std::sync::atomic::{AtomicU64, Ordering};

use thalweg_messages::APIS;

use crate::broker::Shared;
use crate::handlers::SERVED;

/// Counts since the start.
pub struct Metrics {
    /// Connections that were taken.
    pub connections: Counter,
    /// Those that were closed because there were too many.
    pub connections_refused: Counter,
    /// Those that had to wait for their turn.
    pub connections_throttled: Counter,
    /// Those that the broker ended: their peers sent what is no request, were silent, or didn't take their answers.
    pub connections_ended: Counter,
    /// Bytes of requests, their lengths included.
    pub bytes_in: Counter,
    /// Bytes of answers that were sent, their lengths included.
    pub bytes_out: Counter,
    /// By the place of the API in [`SERVED`].
    requests: Vec<OfApi>,
}

#[derive(Default)]
struct OfApi {
    taken: Counter,
    closed: Counter,
}

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number and its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measure {
    /// As Prometheus has it: `thalweg_requests_total{api="Fetch"}`.
    pub name: String,
    /// What it is now.
    pub value: u64,
}

impl Metrics {
    /// Nothing has happened yet.
    pub fn new() -> Metrics {
        let none = Counter::default;
        Metrics {
            connections: none(),
            connections_refused: none(),
            connections_throttled: none(),
            connections_ended: none(),
            bytes_in: none(),
            bytes_out: none(),
            requests: SERVED.iter().map(|_| OfApi::default()).collect(),
        }
    }

    /// A request of an API that is served, of so many bytes.
    pub fn request(&self, key: i16, bytes: usize) {
        self.bytes_in.add(bytes);
        if let Some(api) = self.api(key) {
            api.taken.count();
        }
    }

    /// One that closed its connection instead of being answered.
    pub fn request_closed(&self, key: i16) {
        if let Some(api) = self.api(key) {
            api.closed.count();
        }
    }

    fn api(&self, key: i16) -> Option<&OfApi> {
        self.requests.get(SERVED.binary_search_by_key(&key, |api| api.key).ok()?)
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// All there is to measure, now.
pub fn measures(shared: &Shared) -> Vec<Measure> {
    let metrics = &shared.metrics;
    let sessions = shared.fetch_sessions.size();
    let memory = shared.memory.taken();
    let plain = [
        ("connections_open", shared.connections.open() as u64),
        ("connections_total", metrics.connections.value()),
        ("connections_refused_total", metrics.connections_refused.value()),
        ("connections_throttled_total", metrics.connections_throttled.value()),
        ("connections_ended_total", metrics.connections_ended.value()),
        ("bytes_in_total", metrics.bytes_in.value()),
        ("bytes_out_total", metrics.bytes_out.value()),
        ("small_requests_bytes", memory.small as u64),
        ("large_requests_bytes", memory.large as u64),
        ("waiting_fetches_bytes", memory.waiting_fetches as u64),
        ("remembered_records_bytes", memory.remembered as u64),
        ("large_answers", shared.memory.large_answers() as u64),
        ("group_state_bytes", shared.groups.state_bytes() as u64),
        ("group_coordinators", shared.groups.coordinators() as u64),
        ("fetch_sessions", sessions.sessions as u64),
        ("fetch_session_partitions", sessions.partitions as u64),
        ("partitions_alive", shared.partitions.alive().len() as u64),
    ];
    let plain = plain.into_iter().map(|(name, value)| Measure { name: format!("thalweg_{name}"), value });
    let apis = SERVED.iter().zip(&metrics.requests).flat_map(|(api, counted)| {
        let name = APIS.iter().find(|known| known.key == api.key).map_or("", |known| known.name);
        let of = |what, counter: &Counter| Measure {
            name: format!("thalweg_{what}_total{{api=\"{name}\"}}"),
            value: counter.value(),
        };
        [of("requests", &counted.taken), of("requests_closed", &counted.closed)]
    });
    plain.chain(apis).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_a_counter_of_its_own() {
        let metrics = Metrics::new();
        for (place, api) in SERVED.iter().enumerate() {
            metrics.request(api.key, 10);
            metrics.request_closed(api.key);
            let counted: Vec<u64> = metrics.requests.iter().map(|api| api.taken.value()).collect();
            assert_eq!(counted.iter().sum::<u64>(), place as u64 + 1);
            assert_eq!((counted[place], metrics.requests[place].closed.value()), (1, 1), "API {}", api.key);
        }
        metrics.request(99, 10);
        assert_eq!(metrics.bytes_in.value(), 10 * (SERVED.len() as u64 + 1));
    }
}

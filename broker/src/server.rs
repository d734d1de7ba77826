//! Accepting connections, within the limits.
//!
//! One too many is closed at once, and costs nobody a turn. The others are taken at `max.connection.creation.rate`: each
//! listener has one in hand that waits for its turn, and those behind it wait in the kernel's queue, as in Kafka.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thalweg_wire::Moment;
use thalweg_world::net::Listener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::{Advertised, Shared};
use crate::connection;
use crate::pace::Pace;
use crate::settings::ConnectionLimits;

/// After a failed accept (out of file descriptors, mostly): others may close theirs meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long connections may take to end when the broker stops. What waits only for records is answered at once; this is
/// for peers that don't take their answers.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Accepts until the broker stops, then waits for the connections to end.
pub async fn run(
    shared: Arc<Shared>,
    mut listener: Box<dyn Listener>,
    advertised: Arc<Advertised>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = shared.connections.admit(peer) else {
                    // Closed without a word: there is no request to answer.
                    shared.metrics.connections_refused.count();
                    tracing::warn!(%peer, "connection refused: too many are open");
                    continue;
                };
                let clock = &shared.world.clock;
                let turn = shared.connections.turn(clock.now());
                shared.metrics.connections.count();
                if turn > clock.now() {
                    shared.metrics.connections_throttled.count();
                    tokio::select! {
                        biased;
                        _ = stopping.wait_for(|stopping| *stopping) => break,
                        () = clock.sleep_until(turn) => {}
                    }
                }
                let (shared, advertised, stopping) = (shared.clone(), advertised.clone(), stopping.clone());
                connections.spawn(async move {
                    connection::serve(shared, stream, peer, advertised, stopping).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                shared.world.clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // No new ones; those that are there answer what they took.
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let in_time = tokio::select! {
        biased;
        () = ended => true,
        () = shared.world.clock.sleep(STOP_PATIENCE) => false,
    };
    if !in_time {
        tracing::warn!(connections = connections.len(), "connections that don't end are cut");
        connections.shutdown().await;
    }
}

/// How many connections there are, in all and from each address, and how fast they come.
pub struct Connections {
    open: Mutex<Open>,
}

struct Open {
    limits: ConnectionLimits,
    pace: Pace,
    total: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A connection's place among those allowed; free again when it is dropped.
pub struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// No connection yet.
    pub fn new(limits: ConnectionLimits) -> Arc<Connections> {
        let open = Open { limits, pace: Pace::new(), total: 0, by_address: BTreeMap::new() };
        Arc::new(Connections { open: Mutex::new(open) })
    }

    /// Other limits from now on; those that are there stay.
    pub fn limit(&self, limits: ConnectionLimits) {
        self.open.lock().expect(UNPOISONED).limits = limits;
    }

    /// When a connection has its turn that comes now.
    pub fn turn(&self, now: Moment) -> Moment {
        let mut open = self.open.lock().expect(UNPOISONED);
        let per_second = open.limits.per_second;
        open.pace.turn(per_second, now)
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.open.lock().expect(UNPOISONED).total
    }

    /// A place for a connection, unless there are too many.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let address = peer.ip();
        let mut open = self.open.lock().expect(UNPOISONED);
        let own = open.limits.per_ip_overrides.iter().find(|(other, _)| *other == address);
        let per_address = own.map_or(open.limits.per_ip, |(_, limit)| *limit);
        let from_address = open.by_address.get(&address).copied().unwrap_or(0);
        if open.total >= open.limits.total || from_address >= per_address {
            return None;
        }
        open.total += 1;
        open.by_address.insert(address, from_address + 1);
        Some(Place { connections: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().expect(UNPOISONED);
        open.total -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

const UNPOISONED: &str = "no code panics while it holds the counts";

#[cfg(test)]
mod tests {
    use super::*;

    fn unlimited() -> ConnectionLimits {
        crate::settings::tests::settings(&[]).connections
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let connections = Connections::new(ConnectionLimits {
            total: 3,
            per_ip: 2,
            per_ip_overrides: vec![([10, 0, 0, 9].into(), 1)],
            ..unlimited()
        });
        let peer = |last: u8, port| SocketAddr::from(([10, 0, 0, last], port));
        let first = connections.admit(peer(1, 1)).unwrap();
        let _second = connections.admit(peer(1, 2)).unwrap();
        assert!(connections.admit(peer(1, 3)).is_none(), "two from one address");
        let special = connections.admit(peer(9, 1)).unwrap();
        assert!(connections.admit(peer(2, 1)).is_none(), "three in all");
        drop(first);
        assert!(connections.admit(peer(9, 2)).is_none(), "one from the address with a limit of its own");
        drop(special);
        assert!(connections.admit(peer(9, 2)).is_some());
        connections.limit(ConnectionLimits { total: 5, per_ip: 1, ..unlimited() });
        assert!(connections.admit(peer(1, 4)).is_none(), "one from each address now");
    }
}

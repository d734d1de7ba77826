//! Accepting connections, within the limits.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thalweg_world::net::Listener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::{Advertised, Shared};
use crate::connection;
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
            Ok((stream, peer)) => match shared.connections.admit(peer) {
                Some(place) => {
                    let (shared, advertised, stopping) = (shared.clone(), advertised.clone(), stopping.clone());
                    connections.spawn(async move {
                        connection::serve(shared, stream, peer, advertised, stopping).await;
                        drop(place);
                    });
                }
                // As in Kafka: closed without a word, there is no request to answer.
                None => tracing::warn!(%peer, "connection refused: too many are open"),
            },
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

/// How many connections there are, in all and from each address.
pub struct Connections {
    open: Mutex<Open>,
}

struct Open {
    limits: ConnectionLimits,
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
        Arc::new(Connections { open: Mutex::new(Open { limits, total: 0, by_address: BTreeMap::new() }) })
    }

    /// Other limits from now on; those that are there stay.
    pub fn limit(&self, limits: ConnectionLimits) {
        self.open.lock().expect(UNPOISONED).limits = limits;
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

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let connections = Connections::new(ConnectionLimits {
            total: 3,
            per_ip: 2,
            per_ip_overrides: vec![([10, 0, 0, 9].into(), 1)],
            idle: None,
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
        connections.limit(ConnectionLimits { total: 5, per_ip: 1, per_ip_overrides: Vec::new(), idle: None });
        assert!(connections.admit(peer(1, 4)).is_none(), "one from each address now");
    }
}

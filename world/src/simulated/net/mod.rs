//! A network in memory: connections with bounded buffers whose bytes come late and in pieces, and can be cut.
//!
//! One host with many names: a name that is not an address gets one of its own at its first mention. Whoever connects
//! comes from `127.0.0.1`. Everything that varies is drawn from the seed, in streams of each connection's own.

mod pipe;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc;

use super::rng::{Chance, Rng};
use crate::BoxFuture;
use crate::net::{Listener, Net, Stream};
use pipe::{Condition, End, Pipe, SharedPipe};

/// Connections that wait to be accepted; more are refused.
const BACKLOG: usize = 1024;

/// Where ports that nobody chose begin (RFC 6335, section 6: dynamic ports).
const FIRST_FREE_PORT: u16 = 49152;

/// How bytes travel.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// How long each written piece is on its way, and a connection until it stands. tokio rounds up to milliseconds.
    pub delay: RangeInclusive<Duration>,
    /// A read or a write moves fewer bytes than it could.
    pub short: Chance,
    /// A write finds its connection cut.
    pub cut: Chance,
    /// Bytes on their way in one direction before writing waits; at least 1.
    pub buffer_bytes: usize,
}

impl Default for Traffic {
    /// A sound network near by, that breaks frames apart.
    fn default() -> Traffic {
        Traffic {
            delay: Duration::from_micros(20)..=Duration::from_millis(2),
            short: Chance::one_in(4),
            cut: Chance::NEVER,
            buffer_bytes: 64 << 10,
        }
    }
}

/// A network from a seed. Clones are the same network.
#[derive(Clone)]
pub struct SimulatedNet {
    state: Arc<Mutex<State>>,
}

impl SimulatedNet {
    /// A network on which nobody listens yet.
    pub fn new(seed: u64, traffic: Traffic) -> SimulatedNet {
        let state = State {
            rng: Rng::stream(seed, "net"),
            traffic,
            hosts: BTreeMap::new(),
            next_port: FIRST_FREE_PORT,
            listeners: BTreeMap::new(),
            refusing: BTreeSet::new(),
            connections: BTreeMap::new(),
        };
        SimulatedNet { state: Arc::new(Mutex::new(state)) }
    }

    /// Cuts every connection that has this address at either end: reading and writing fail with `ConnectionReset`,
    /// what was on its way is lost. Says how many they were.
    pub fn cut(&self, address: SocketAddr) -> usize {
        self.state().afflict(address, Condition::Reset)
    }

    /// Leaves every connection that has this address at either end half open, as when a peer loses its power: nothing
    /// arrives any more, in either direction, and nobody is told. Says how many they were.
    pub fn half_open(&self, address: SocketAddr) -> usize {
        self.state().afflict(address, Condition::Silent)
    }

    /// New connections to this address are refused, whoever listens there, until [`SimulatedNet::allow`].
    pub fn refuse(&self, address: SocketAddr) {
        self.state().refusing.insert(address);
    }

    /// Ends [`SimulatedNet::refuse`].
    pub fn allow(&self, address: SocketAddr) {
        self.state().refusing.remove(&address);
    }

    /// How the bytes of connections made from now on travel.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.state().traffic = traffic;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Net for SimulatedNet {
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let mut state = self.state();
            let mut address = state.resolve(address)?;
            if address.port() == 0 {
                address.set_port(state.free_port()?);
            }
            if state.listeners.contains_key(&address) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            let (arrive, arrivals) = mpsc::channel(BACKLOG);
            state.listeners.insert(address, arrive);
            Ok(Box::new(SimulatedListener { net: self.clone(), address, arrivals }) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let (address, takes) = {
                let mut state = self.state();
                let State { rng, traffic, .. } = &mut *state;
                let takes = rng.span(&traffic.delay);
                (state.resolve(address)?, takes)
            };
            tokio::time::sleep(takes).await;
            self.state().connect(address)
        })
    }
}

struct State {
    rng: Rng,
    traffic: Traffic,
    hosts: BTreeMap<String, IpAddr>,
    next_port: u16,
    listeners: BTreeMap<SocketAddr, mpsc::Sender<(Stream, SocketAddr)>>,
    refusing: BTreeSet<SocketAddr>,
    /// By the port that they come from. One that has ended stays until its port is needed again.
    connections: BTreeMap<u16, Connection>,
}

struct Connection {
    ends: [SocketAddr; 2],
    pipes: [Weak<Mutex<Pipe>>; 2],
}

impl State {
    fn connect(&mut self, address: SocketAddr) -> io::Result<Stream> {
        let any_host = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
        let listener = self.listeners.get(&address).or_else(|| self.listeners.get(&any_host));
        let listener = listener.filter(|_| !self.refusing.contains(&address)).cloned();
        let listener = listener.ok_or(io::ErrorKind::ConnectionRefused)?;
        let from = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.free_port()?);
        let [there, back]: [SharedPipe; 2] =
            std::array::from_fn(|_| Pipe::new(self.traffic.clone(), Rng::new(self.rng.next_u64())));
        let accepted = (Box::new(End::new(there.clone(), back.clone())) as Stream, from);
        listener.try_send(accepted).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        let pipes = [&there, &back].map(Arc::downgrade);
        self.connections.insert(from.port(), Connection { ends: [from, address], pipes });
        Ok(Box::new(End::new(back, there)))
    }

    fn afflict(&mut self, address: SocketAddr, condition: Condition) -> usize {
        let standing = self.connections.values().filter(|connection| connection.stands());
        let struck = standing.filter(|connection| connection.ends.contains(&address));
        let mut count = 0;
        for pipe in struck.inspect(|_| count += 1).flat_map(|connection| &connection.pipes) {
            if let Some(pipe) = pipe.upgrade() {
                pipe::lock(&pipe).becomes(condition);
            }
        }
        count
    }

    fn resolve(&mut self, address: &str) -> io::Result<SocketAddr> {
        if let Ok(address) = address.parse() {
            return Ok(address);
        }
        let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let Some((host, port)) = parts else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{address} is not HOST:PORT")));
        };
        if host == "localhost" {
            return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
        }
        // 10.0.0.1 for the first name, and so on.
        let next = Ipv4Addr::from_bits(0x0a00_0001 + self.hosts.len() as u32);
        Ok(SocketAddr::new(*self.hosts.entry(host.to_owned()).or_insert(next.into()), port))
    }

    /// Goes round: a port is used again only after all others were.
    fn free_port(&mut self) -> io::Result<u16> {
        for _ in FIRST_FREE_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_FREE_PORT);
            let listens = self.listeners.keys().any(|address| address.port() == port);
            let connected = self.connections.get(&port).is_some_and(Connection::stands);
            if !listens && !connected {
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}

impl Connection {
    fn stands(&self) -> bool {
        self.pipes.iter().any(|pipe| pipe.strong_count() > 0)
    }
}

struct SimulatedListener {
    net: SimulatedNet,
    address: SocketAddr,
    arrivals: mpsc::Receiver<(Stream, SocketAddr)>,
}

impl Listener for SimulatedListener {
    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, SocketAddr)>> {
        Box::pin(async move { self.arrivals.recv().await.ok_or(io::ErrorKind::ConnectionAborted.into()) })
    }
}

impl Drop for SimulatedListener {
    fn drop(&mut self) {
        self.net.state().listeners.remove(&self.address);
    }
}

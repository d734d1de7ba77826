//! Where a broker listens and where it tells clients to come: Kafka's `listeners` and `advertised.listeners`.
//!
//! `NAME://HOST:PORT`, or `HOST:PORT` for a listener whose name is PLAINTEXT; an IPv6 address stands in brackets. No
//! host means every interface. A client that bootstraps is sent to the advertised address, so that must be one which it
//! can reach: as in Kafka, listening without a host advertises the machine's own name, and listening on 0.0.0.0 or \[::\]
//! without an advertised address is refused, because nobody can connect to "everywhere".

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The name of a listener that was given without one.
pub const PLAINTEXT: &str = "PLAINTEXT";

/// Listeners in one setting; each is a socket.
const LISTENERS_MAX: usize = 64;

/// An address as a setting has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The listener's name in upper case; `None` if only an address was given.
    pub name: Option<String>,
    /// The host, an IPv6 address without its brackets; empty for every interface.
    pub host: String,
    /// The port; 0 is any free one, or for an advertised address the one that was bound.
    pub port: u16,
}

/// A socket that the broker opens, and what it tells clients about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Its name, in upper case.
    pub name: String,
    /// The host to bind; empty for every interface.
    pub host: String,
    /// The port to bind; 0 is any free one.
    pub port: u16,
    /// The host that clients are told.
    pub advertised_host: String,
    /// The port that clients are told; 0 is the one that was bound.
    pub advertised_port: u16,
}

/// Why an address or a set of them is refused. `Display` says what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadListener {
    /// Not `NAME://HOST:PORT`.
    Unreadable {
        /// What came.
        text: String,
    },
    /// More than the limit.
    TooMany,
    /// None is left to listen at.
    None,
    /// Two have one name, or one address.
    Twice {
        /// What both have.
        what: String,
    },
    /// A name that `listener.security.protocol.map` does not hold.
    NoProtocol {
        /// The listener's name.
        name: String,
    },
    /// A protocol that is not served yet.
    Protocol {
        /// The listener's name.
        name: String,
        /// What it should speak.
        protocol: String,
    },
    /// An advertised address of a listener that is not there.
    Stranger {
        /// The listener's name.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
    /// An address that no client can connect to.
    Nowhere {
        /// The listener's name.
        name: String,
        /// The address to bind, or the one that was to be advertised.
        host: String,
        /// The port beside it.
        port: u16,
    },
}

impl fmt::Display for BadListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadListener::Unreadable { text } => {
                write!(f, "Unable to parse {text} to a broker endpoint: write HOST:PORT or NAME://HOST:PORT")
            }
            BadListener::TooMany => write!(f, "more than {LISTENERS_MAX} listeners"),
            BadListener::None => {
                f.write_str("there is no listener for clients: add one, such as PLAINTEXT://127.0.0.1:9092")
            }
            BadListener::Twice { what } => {
                write!(f, "two listeners have {what}: each must have a name and an address of its own")
            }
            BadListener::NoProtocol { name } => write!(
                f,
                "No security protocol defined for listener {name}: add {name}:PLAINTEXT to listener.security.protocol.map"
            ),
            BadListener::Protocol { name, protocol } => write!(
                f,
                "listener {name} asks for {protocol}, and so far only PLAINTEXT is served: map it to PLAINTEXT on a network that you trust, or leave it out"
            ),
            BadListener::Stranger { name, known } => {
                write!(f, "{name} is advertised but is not a listener; the listeners are {}", known.join(", "))
            }
            BadListener::Nowhere { name, host, port } => write!(
                f,
                "advertised.listeners cannot use the nonroutable meta-address {}: {name} needs a name that clients can reach, such as --advertise my.host:{port}",
                if host.is_empty() { "of every interface" } else { host }
            ),
        }
    }
}

impl std::error::Error for BadListener {}

impl Endpoint {
    /// Reads `NAME://HOST:PORT`, `HOST:PORT` or `:PORT`.
    pub fn parse(text: &str) -> Result<Endpoint, BadListener> {
        let unreadable = || BadListener::Unreadable { text: text.chars().take(200).collect() };
        let (name, address) = match text.split_once("://") {
            Some((name, address)) => (Some(name.to_ascii_uppercase()), address),
            None => (None, text),
        };
        let is_name = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        let (host, port) = address.rsplit_once(':').ok_or_else(unreadable)?;
        let host = match host.strip_prefix('[') {
            Some(inside) => inside.strip_suffix(']').filter(|host| host.contains(':')).ok_or_else(unreadable)?,
            // Without brackets it would be unclear where the host ends.
            None if host.contains(':') => return Err(unreadable()),
            None => host,
        };
        let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:%".contains(&b));
        let is_port = port.bytes().all(|b| b.is_ascii_digit());
        if !is_host || !is_port || !name.as_ref().is_none_or(is_name) {
            return Err(unreadable());
        }
        Ok(Endpoint { name, host: host.to_owned(), port: port.parse().map_err(|_| unreadable())? })
    }

    /// The listener's name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(PLAINTEXT)
    }
}

impl Listener {
    /// The address to bind, as `HOST:PORT`.
    pub fn bind_address(&self) -> String {
        let host = if self.host.is_empty() { "0.0.0.0" } else { &self.host };
        address(host, self.port)
    }

    /// What clients are told: host and port, given the address that was really bound.
    pub fn advertised(&self, bound: SocketAddr) -> (&str, u16) {
        let port = if self.advertised_port == 0 { bound.port() } else { self.advertised_port };
        (&self.advertised_host, port)
    }
}

/// `HOST:PORT`, with brackets around an IPv6 address.
pub fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Which protocol each listener speaks, and which listeners are left to controllers.
pub(crate) struct Protocols<'a> {
    /// `listener.security.protocol.map`, as pairs of name and protocol; names in upper case.
    pub(crate) map: &'a [(String, String)],
    /// `controller.listener.names`.
    pub(crate) controllers: &'a [String],
}

/// Brings both settings together. `hostname` is the machine's own name, if it has one. Answers also the names of the
/// controllers' listeners, which we don't have.
pub(crate) fn listeners(
    listening: &[String],
    advertised: &[String],
    protocols: &Protocols<'_>,
    hostname: Option<&str>,
) -> Result<(Vec<Listener>, Vec<String>), BadListener> {
    if listening.len().max(advertised.len()) > LISTENERS_MAX {
        return Err(BadListener::TooMany);
    }
    let is_controllers = |name: &str| protocols.controllers.iter().any(|other| other.eq_ignore_ascii_case(name));
    let mut ignored = Vec::new();
    let mut ours: Vec<Endpoint> = Vec::new();
    for text in listening {
        let endpoint = Endpoint::parse(text)?;
        if is_controllers(endpoint.name()) {
            ignored.push(text.clone());
            continue;
        }
        protocols.check(endpoint.name())?;
        if ours.iter().any(|other| other.name() == endpoint.name()) {
            return Err(BadListener::Twice { what: format!("the name {}", endpoint.name()) });
        }
        if endpoint.port != 0 && ours.iter().any(|other| (&other.host, other.port) == (&endpoint.host, endpoint.port)) {
            return Err(BadListener::Twice { what: format!("the address {}", address(&endpoint.host, endpoint.port)) });
        }
        ours.push(endpoint);
    }
    if ours.is_empty() {
        return Err(BadListener::None);
    }

    let mut told: Vec<(String, Endpoint)> = Vec::new();
    for text in advertised {
        let endpoint = Endpoint::parse(text)?;
        if is_controllers(endpoint.name()) {
            continue;
        }
        // With one listener there is no doubt whose address a bare HOST:PORT is.
        let name = match (&endpoint.name, ours.as_slice()) {
            (None, [only]) => only.name(),
            _ => endpoint.name(),
        };
        if !ours.iter().any(|listener| listener.name() == name) {
            let known = ours.iter().map(|listener| listener.name().to_owned()).collect();
            return Err(BadListener::Stranger { name: name.to_owned(), known });
        }
        if told.iter().any(|(other, _)| other == name) {
            return Err(BadListener::Twice { what: format!("the name {name}") });
        }
        told.push((name.to_owned(), endpoint));
    }
    let listeners = ours.into_iter().map(|endpoint| {
        let advertised = told.iter().find(|(name, _)| name == endpoint.name()).map(|(_, endpoint)| endpoint);
        listener(endpoint, advertised, hostname)
    });
    Ok((listeners.collect::<Result<_, _>>()?, ignored))
}

fn listener(at: Endpoint, advertised: Option<&Endpoint>, hostname: Option<&str>) -> Result<Listener, BadListener> {
    let told = advertised.unwrap_or(&at);
    let advertised_host = if told.host.is_empty() { hostname.unwrap_or_default() } else { &told.host };
    if advertised_host.is_empty() || is_everywhere(advertised_host) {
        let (name, host) = (at.name().to_owned(), advertised_host.to_owned());
        return Err(BadListener::Nowhere { name, host, port: at.port });
    }
    Ok(Listener {
        advertised_host: advertised_host.to_owned(),
        advertised_port: told.port,
        name: at.name().to_owned(),
        host: at.host,
        port: at.port,
    })
}

fn is_everywhere(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

impl Protocols<'_> {
    fn check(&self, name: &str) -> Result<(), BadListener> {
        match self.map.iter().rev().find(|(listener, _)| listener == name) {
            None => Err(BadListener::NoProtocol { name: name.to_owned() }),
            Some((_, protocol)) if protocol == PLAINTEXT => Ok(()),
            Some((_, protocol)) => Err(BadListener::Protocol { name: name.to_owned(), protocol: protocol.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: Option<&str>, host: &str, port: u16) -> Endpoint {
        Endpoint { name: name.map(str::to_owned), host: host.to_owned(), port }
    }

    fn both(listening: &str, advertised: &str) -> Result<(Vec<Listener>, Vec<String>), BadListener> {
        let list = |text: &str| text.split_terminator(',').map(str::to_owned).collect::<Vec<_>>();
        let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        let map = [("PLAINTEXT", "PLAINTEXT"), ("SSL", "SSL"), ("INSIDE", "PLAINTEXT"), ("CONTROLLER", "PLAINTEXT")];
        let protocols = Protocols { map: &map.map(pair), controllers: &["CONTROLLER".to_owned()] };
        listeners(&list(listening), &list(advertised), &protocols, Some("river"))
    }

    fn told(listening: &str, advertised: &str) -> String {
        let bound = "127.0.0.1:40000".parse().unwrap();
        let (listeners, _) = both(listening, advertised).unwrap();
        let lines = listeners.iter().map(|listener| {
            let (host, port) = listener.advertised(bound);
            format!("{} {} > {}", listener.name, listener.bind_address(), address(host, port))
        });
        lines.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn there_are_so_many_listeners_and_no_more() {
        let name = |n: usize| format!("{}{}", char::from(b'A' + (n / 26) as u8), char::from(b'A' + (n % 26) as u8));
        let of = |count: usize| {
            let listening: Vec<String> = (0..count).map(|n| format!("{}://a:{}", name(n), 1000 + n)).collect();
            let map: Vec<_> = (0..count).map(|n| (name(n), PLAINTEXT.to_owned())).collect();
            listeners(&listening, &[], &Protocols { map: &map, controllers: &[] }, None).map(|(all, _)| all.len())
        };
        assert_eq!((of(LISTENERS_MAX), of(LISTENERS_MAX + 1)), (Ok(LISTENERS_MAX), Err(BadListener::TooMany)));
    }

    #[test]
    fn an_endpoint_is_read_in_all_its_forms() {
        assert_eq!(Endpoint::parse("PLAINTEXT://a.b-c:9092"), Ok(endpoint(Some("PLAINTEXT"), "a.b-c", 9092)));
        assert_eq!(Endpoint::parse("plaintext://a:9092"), Ok(endpoint(Some("PLAINTEXT"), "a", 9092)));
        assert_eq!(Endpoint::parse("127.0.0.1:0"), Ok(endpoint(None, "127.0.0.1", 0)));
        assert_eq!(Endpoint::parse(":9092"), Ok(endpoint(None, "", 9092)));
        assert_eq!(Endpoint::parse("[::1]:9092"), Ok(endpoint(None, "::1", 9092)));
        assert_eq!(Endpoint::parse("A://[fe80::1%eth0]:1"), Ok(endpoint(Some("A"), "fe80::1%eth0", 1)));
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused() {
        for text in [
            "",
            "foo",
            "a:",
            "a:-1",
            "a:99999",
            "a:+1",
            "a b:1",
            "::1:9092",
            "[::1:9092",
            "[a]:1",
            "://a:1",
            "A://a:1:",
            "a/b:1",
        ] {
            assert_eq!(Endpoint::parse(text), Err(BadListener::Unreadable { text: text.to_owned() }), "{text}");
        }
    }

    #[test]
    fn clients_are_told_where_the_broker_listens_unless_something_else_is_advertised() {
        assert_eq!(told("127.0.0.1:9092", ""), "PLAINTEXT 127.0.0.1:9092 > 127.0.0.1:9092");
        assert_eq!(told("127.0.0.1:0", ""), "PLAINTEXT 127.0.0.1:0 > 127.0.0.1:40000");
        assert_eq!(told("0.0.0.0:9092", "my.host:19092"), "PLAINTEXT 0.0.0.0:9092 > my.host:19092");
        assert_eq!(told("INSIDE://[::]:9092", "my.host:0"), "INSIDE [::]:9092 > my.host:40000");
        assert_eq!(
            told("PLAINTEXT://0.0.0.0:9092,INSIDE://10.0.0.1:9093", "PLAINTEXT://out:9092"),
            "PLAINTEXT 0.0.0.0:9092 > out:9092; INSIDE 10.0.0.1:9093 > 10.0.0.1:9093"
        );
    }

    #[test]
    fn without_a_host_the_machine_gives_its_name_as_in_kafka() {
        assert_eq!(told("PLAINTEXT://:9092", ""), "PLAINTEXT 0.0.0.0:9092 > river:9092");
    }

    #[test]
    fn everywhere_is_no_address_that_a_client_can_be_sent_to() {
        for (listening, advertised) in [("0.0.0.0:9092", ""), ("[::]:9092", ""), ("127.0.0.1:9092", "0.0.0.0:9092")] {
            let refusal = both(listening, advertised).unwrap_err();
            assert!(matches!(refusal, BadListener::Nowhere { .. }), "{refusal}");
            assert!(refusal.to_string().contains("--advertise my.host:9092"), "{refusal}");
        }
    }

    #[test]
    fn a_controllers_listener_is_left_out_and_named() {
        let (listeners, ignored) =
            both("PLAINTEXT://localhost:9092,CONTROLLER://:9093", "CONTROLLER://x:9093").unwrap();
        assert_eq!(listeners.len(), 1);
        assert_eq!(ignored, ["CONTROLLER://:9093"]);
        assert_eq!(both("CONTROLLER://:9093", ""), Err(BadListener::None));
    }

    #[test]
    fn what_is_not_served_is_refused_with_a_way_out() {
        assert!(both("SSL://a:9092", "").unwrap_err().to_string().contains("only PLAINTEXT is served"));
        assert!(both("FOO://a:9092", "").unwrap_err().to_string().contains("add FOO:PLAINTEXT"));
        assert!(matches!(both("a:1,b:2", ""), Err(BadListener::Twice { .. })));
        assert!(matches!(both("a:1,INSIDE://a:1", ""), Err(BadListener::Twice { .. })));
        assert!(matches!(both("a:1", "INSIDE://a:1"), Err(BadListener::Stranger { .. })));
    }
}

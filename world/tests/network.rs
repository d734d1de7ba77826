//! Connections: the same stories on the real network and on the simulated one, then what only the simulated one does.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use thalweg_world::disk::Open;
use thalweg_world::net::{Listener, Stream};
use thalweg_world::real::{RealDisk, RealNet};
use thalweg_world::simulated::{Chance, Faults, SimulatedDisk, SimulatedNet, Traffic};
use thalweg_world::{Disk, Net};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

#[tokio::test]
async fn the_real_network_keeps_the_contract() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    contract(&RealNet, &RealDisk::default(), &folder).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_simulated_network_keeps_the_contract() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new(seed, Faults::default());
        contract(&SimulatedNet::new(seed, Traffic::default()), &disk, Path::new("")).await;
    }
}

async fn contract(net: &dyn Net, disk: &dyn Disk, folder: &Path) {
    let (mut listener, address) = listen(net).await;
    assert_ne!(address.port(), 0);
    assert_eq!(net.listen(&address.to_string()).await.err().unwrap().kind(), ErrorKind::AddrInUse);

    // An accept that was given up loses no connection.
    {
        let mut accept = pin!(listener.accept());
        assert!(accept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let (mut client, mut server) = connected(net, &mut *listener, address).await;

    // More than any buffer holds, both ways at once, and in order.
    let sent: Vec<u8> = (0..400_000u32).map(|n| (n * 31 % 251) as u8).collect();
    let echo = tokio::spawn(async move {
        let mut buffer = vec![0; 10_000];
        loop {
            let count = server.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            server.write_all(&buffer[..count]).await.unwrap();
        }
        server.shutdown().await.unwrap();
        server
    });
    let (mut reader, mut writer) = tokio::io::split(&mut client);
    let mut received = Vec::new();
    let (wrote, read) = tokio::join!(
        async {
            writer.write_all(&sent).await?;
            // Half a connection may end: the answer still comes.
            writer.shutdown().await
        },
        reader.read_to_end(&mut received)
    );
    wrote.unwrap();
    assert_eq!((read.unwrap(), &received), (sent.len(), &sent));
    drop(echo.await.unwrap());
    drop(client);

    // A piece of a file goes out as it stands there, between bytes of memory; behind its end there is nothing to send.
    let file = disk.open(&folder.join("sent"), Open::CreateNew).unwrap();
    file.write_at(&[IoSlice::new(&sent)], 0).unwrap();
    let (mut client, mut server) = connected(net, &mut *listener, address).await;
    let reader = tokio::spawn(async move {
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        received
    });
    server.write_all(b"head").await.unwrap();
    let mut at = 1_000;
    while at < 390_000 {
        let most = 390_000 - at;
        let count = poll_fn(|context| Pin::new(&mut *server).poll_send_file(context, &*file, at as u64, most));
        let count = count.await.unwrap();
        assert!(count > 0 && count <= most);
        at += count;
    }
    server.write_all(b"tail").await.unwrap();
    let behind = poll_fn(|context| Pin::new(&mut *server).poll_send_file(context, &*file, sent.len() as u64, 10)).await;
    assert_eq!(behind.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    drop(server);
    let received = reader.await.unwrap();
    assert!(received == [b"head", &sent[1_000..390_000], b"tail"].concat());

    // Writing to somebody who has gone fails in the end, and does not hang.
    let (mut client, server) = connected(net, &mut *listener, address).await;
    drop(server);
    while client.write_all(&[0; 1000]).await.is_ok() {
        tokio::task::yield_now().await;
    }

    drop(listener);
    assert_eq!(net.connect(&address.to_string()).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
    drop(net.listen(&address.to_string()).await.unwrap());
    assert!(net.listen("no port").await.is_err() && net.connect("no port").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn bytes_come_late_and_in_pieces() {
    let net = SimulatedNet::new(1, Traffic::default());
    let (mut listener, address) = listen(&net).await;
    let (mut client, mut server) = connected(&net, &mut *listener, address).await;
    let (mut shorts, mut waited) = (0, Duration::ZERO);
    for _ in 0..50 {
        let before = Instant::now();
        client.write_all(&[1; 1000]).await.unwrap();
        let mut rest = 1000;
        while rest > 0 {
            let count = server.read(&mut vec![0; rest]).await.unwrap();
            shorts += usize::from(count < rest);
            rest -= count;
        }
        waited += before.elapsed();
    }
    assert!(shorts > 5 && waited > Duration::from_millis(20), "{shorts} short reads, {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_stops_the_writer() {
    let net = SimulatedNet::new(1, Traffic { buffer_bytes: 1000, ..Traffic::default() });
    let (mut listener, address) = listen(&net).await;
    let (mut client, mut server) = connected(&net, &mut *listener, address).await;
    let writer = tokio::spawn(async move { client.write_all(&[1; 5000]).await });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!writer.is_finished());
    server.read_exact(&mut [0; 5000]).await.unwrap();
    writer.await.unwrap().unwrap();

    let (mut client, _server) = connected(&net, &mut *listener, address).await;
    let writer = tokio::spawn(async move { client.write_all(&[1; 5000]).await.map_err(|error| error.kind()) });
    tokio::time::sleep(Duration::from_secs(60)).await;
    net.cut(address);
    assert_eq!(writer.await.unwrap(), Err(ErrorKind::ConnectionReset), "a cut frees it too");
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_told_to_both_ends_and_a_silence_to_none() {
    let net = SimulatedNet::new(1, Traffic::default());
    let (mut listener, address) = listen(&net).await;
    let (mut client, mut server) = connected(&net, &mut *listener, address).await;
    client.write_all(b"on its way").await.unwrap();
    let waiting = tokio::spawn(async move { client.read(&mut [0; 1]).await.map_err(|error| error.kind()) });
    tokio::task::yield_now().await;
    assert_eq!(net.cut(address), 1);
    assert_eq!(waiting.await.unwrap(), Err(ErrorKind::ConnectionReset), "whoever waits is woken");
    assert_eq!(server.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.write(&[0; 1]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    drop(server);

    let (mut client, mut server) = connected(&net, &mut *listener, address).await;
    assert_eq!(net.half_open(address), 1);
    client.write_all(b"into the dark").await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(3600), server.read(&mut [0; 1])).await;
    assert!(heard.is_err(), "nothing, not even an end");
    drop(client);
    let heard = tokio::time::timeout(Duration::from_secs(3600), server.read(&mut [0; 1])).await;
    assert!(heard.is_err(), "a dead peer says no goodbye");

    net.refuse(address);
    assert_eq!(net.connect(&address.to_string()).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
    net.allow(address);
    connected(&net, &mut *listener, address).await;
}

#[tokio::test(start_paused = true)]
async fn names_have_addresses_and_a_listener_at_all_of_them_hears_each() {
    let net = SimulatedNet::new(1, Traffic::default());
    let mut everywhere = net.listen("0.0.0.0:9092").await.unwrap();
    let mut broker = net.listen("broker-1:9092").await.unwrap();
    for (name, heard) in [("broker-1:9092", &mut broker), ("localhost:9092", &mut everywhere)] {
        let mut client = net.connect(name).await.unwrap();
        client.write_all(name.as_bytes()).await.unwrap();
        let (mut server, from) = heard.accept().await.unwrap();
        let mut read = vec![0; name.len()];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!((read, from.ip().to_string()), (name.as_bytes().to_vec(), "127.0.0.1".to_owned()));
    }
}

/// Chance in the network is the seed's, to the byte and the nanosecond.
#[test]
fn the_same_seed_gives_the_same_traffic() {
    let story = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            let net = SimulatedNet::new(seed, Traffic { cut: Chance::one_in(40), ..Traffic::default() });
            let (mut listener, address) = listen(&net).await;
            let mut seen = Vec::new();
            for _ in 0..10 {
                let (mut client, mut server) = connected(&net, &mut *listener, address).await;
                let sender = tokio::spawn(async move {
                    for round in 0..20u8 {
                        client.write_all(&vec![round; 300]).await?;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    Ok::<(), std::io::Error>(())
                });
                let mut buffer = [0; 500];
                let end = loop {
                    match server.read(&mut buffer).await {
                        Ok(0) => break None,
                        Ok(count) => seen.push((start.elapsed(), count)),
                        Err(error) => break Some(error.kind()),
                    }
                };
                let sent = sender.await.unwrap().is_ok();
                assert_eq!(end.is_none(), sent, "both ends tell the same story");
                seen.push((start.elapsed(), usize::from(sent)));
            }
            seen
        })
    };
    assert_eq!(story(5), story(5));
    assert_ne!(story(5), story(6));
}

async fn listen(net: &dyn Net) -> (Box<dyn Listener>, SocketAddr) {
    let listener = net.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().unwrap();
    (listener, address)
}

async fn connected(net: &dyn Net, listener: &mut dyn Listener, address: SocketAddr) -> (Stream, Stream) {
    let target = address.to_string();
    let (client, accepted) = tokio::join!(net.connect(&target), listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

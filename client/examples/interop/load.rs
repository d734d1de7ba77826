//! A producer as a process that can be killed, for `interop/ours.py`: `load HOST:PORT TOPIC`. A line of its input is a
//! partition and a value, which has no line break; the lines of its output tell which input line (counted from 0) stands at
//! which offset: `NUMBER OFFSET`, or `NUMBER ! WHY` for one that doesn't.

use std::io::{BufRead, Write};

use thalweg_client::{Client, Options, Producer, Record, producer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic] = arguments.as_slice() else { return Err("usage: load HOST:PORT TOPIC".into()) };
    let client = Client::new(thalweg_world::real::world()?, Options::to(bootstrap));
    // Small batches: many requests are under way when the broker dies.
    let options = producer::Options { batch_bytes: 2000, linger: std::time::Duration::ZERO, ..Default::default() };
    let producer = Producer::new(client, options)?;
    let (lines, mut given) = tokio::sync::mpsc::channel::<String>(1000);
    std::thread::spawn(move || {
        let mut whole = std::io::stdin().lock().lines().map_while(Result::ok);
        whole.all(|line| lines.blocking_send(line).is_ok())
    });
    let mut number: u64 = 0;
    let mut reports = tokio::task::JoinSet::new();
    while let Some(line) = given.recv().await {
        let (partition, value) = line.split_once(' ').ok_or("a line is a partition and a value")?;
        let sent = producer.send(Record::to(topic).partition(partition.parse()?).value(value)).await;
        let this = number;
        number += 1;
        while reports.try_join_next().is_some() {}
        reports.spawn(async move {
            let outcome = match sent {
                Ok(delivery) => delivery.await.map(|receipt| receipt.offset.0).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let told = outcome.map_or_else(|error| format!("! {error}"), |offset| offset.to_string());
            // Whoever reads it may be gone.
            let _ = writeln!(std::io::stdout(), "{this} {told}");
        });
    }
    producer.close().await;
    reports.join_all().await;
    Ok(())
}

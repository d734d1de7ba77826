//! Writes the lines of standard input to a topic: `cargo run -p thalweg-client --example produce -- HOST:PORT TOPIC`.

use std::io::BufRead;

use thalweg_client::{Client, Options, Producer, Record, producer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic] = arguments.as_slice() else { return Err("usage: produce HOST:PORT TOPIC".into()) };
    let client = Client::new(thalweg_world::real::world()?, Options::to(bootstrap));
    let producer = Producer::new(client, producer::Options::default())?;
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        last = Some(producer.send(Record::to(topic).value(&line?)).await?);
    }
    producer.close().await;
    match last {
        Some(delivery) => println!("the last line is at {:?}", delivery.await?),
        None => println!("there was no line"),
    }
    Ok(())
}

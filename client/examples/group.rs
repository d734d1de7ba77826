//! Prints the values of a topic as a member of a group, until it has dealt with so many: `cargo run -p thalweg-client
//! --example group -- HOST:PORT GROUP TOPIC COUNT`. Started twice, each has half of the partitions; started again, it goes on
//! where the group ended.

use std::io::Write;

use thalweg_client::group::{self, GroupConsumer};
use thalweg_client::{Client, Options, consumer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, name, topic, count] = arguments.as_slice() else {
        return Err("usage: group HOST:PORT GROUP TOPIC COUNT".into());
    };
    let mut left: usize = count.parse()?;
    let client = Client::new(thalweg_world::real::world()?, Options::to(bootstrap));
    let options = consumer::Options { reset: consumer::Reset::Earliest, ..consumer::Options::default() };
    let mut member = GroupConsumer::join(client, group::Options::of(name), &options, [topic]);
    while left > 0 {
        // Who asks for more has dealt with everything before.
        let records = member.records().await?;
        let mut out = std::io::stdout().lock();
        for record in records.iter() {
            out.write_all(record.value.unwrap_or_default())?;
            out.write_all(b"\n")?;
        }
        left = left.saturating_sub(records.iter().count());
    }
    member.close().await?;
    Ok(())
}

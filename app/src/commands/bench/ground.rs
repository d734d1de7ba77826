//! The topic of a benchmark: one that is there, or one of its own, which goes with it.

use clap::Args;
use thalweg_client::admin::{Mode, NewTopic};
use thalweg_client::{Admin, Client};

use crate::commands::topic;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::reach::{self, Missing, Reach};
use crate::signals::{self, Stop};

/// The flags.
#[derive(Args, Clone, Debug)]
pub(super) struct Place {
    /// A topic that is there [default: one is made, thalweg-bench-..., and deleted at the end]
    #[arg(short, long, value_name = "NAME", help_heading = "Topic")]
    topic: Option<String>,

    /// How many partitions it is made with
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10_000), conflicts_with = "topic", help_heading = "Topic")]
    partitions: i32,

    /// How many brokers have each partition [default: as the broker's default.replication.factor says]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..), conflicts_with = "topic", help_heading = "Topic")]
    replication_factor: Option<i16>,

    /// Don't delete the topic that was made
    #[arg(long, conflicts_with = "topic", help_heading = "Topic")]
    keep: bool,
}

/// A topic that is there now.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) topic: String,
    pub(super) partitions: usize,
    /// It was made for this, and nothing is in it.
    pub(super) is_own: bool,
}

impl Place {
    /// Does something with a topic, up to the second Ctrl-C; the first asks it to come to an end. A topic of its own is
    /// deleted behind it, however it ended.
    pub(super) fn work<T>(
        &self,
        reach: &Reach,
        stop: &Stop,
        work: impl AsyncFnOnce(&Admin, &Ground) -> Result<T, Failure>,
        tell: impl FnOnce(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        reach::runtime(async {
            let admin = Admin::new(reach.client(Missing::StayMissing)?);
            let own = self.topic.is_none().then(|| name(admin.client()));
            let worked = signals::gently(stop, async {
                let ground = self.prepare(&admin, own.as_deref()).await?;
                let done = work(&admin, &ground).await;
                if ground.is_own && !self.keep {
                    clear(&admin, &ground.topic).await?;
                }
                done
            });
            match worked.await? {
                Some(done) => tell(done?),
                None => Err(left(own.as_deref())),
            }
        })
    }

    async fn prepare(&self, admin: &Admin, own: Option<&str>) -> Result<Ground, Failure> {
        match (&self.topic, own) {
            (Some(topic), _) => {
                let topic = topic::look_up_one(admin, topic).await?;
                Ok(Ground { partitions: topic.partitions.len(), topic: topic.name, is_own: false })
            }
            (None, own) => {
                let topic = own.unwrap_or_default();
                let new = NewTopic {
                    partitions: Some(self.partitions),
                    replication_factor: self.replication_factor,
                    ..NewTopic::named(topic)
                };
                for (name, outcome) in admin.create_topics([new], Mode::Do).await? {
                    if let Err(refused) = outcome {
                        return Err(topic::refusal(admin, &name, &refused).await);
                    }
                }
                let partitions = usize::try_from(self.partitions).unwrap_or(1);
                Ok(Ground { topic: topic.to_owned(), partitions, is_own: true })
            }
        }
    }
}

/// A name that no topic has.
fn name(client: &Client) -> String {
    let mut random = [0; 8];
    client.world().entropy.fill(&mut random);
    format!("thalweg-bench-{:016x}", u64::from_be_bytes(random))
}

/// Deletes what was made. That it can't is no reason to keep the figures back.
async fn clear(admin: &Admin, topic: &str) -> Result<(), Failure> {
    let why = match admin.delete_topics(&[topic]).await {
        Ok(outcomes) => outcomes.into_iter().find_map(|(_, outcome)| outcome.err().map(|refused| refused.to_string())),
        Err(error) => Some(error.to_string()),
    };
    match why {
        Some(why) => {
            output::note(&format!("topic {topic} is left: {why}; 'thalweg topic delete {topic} --yes' deletes it"))
        }
        None => Ok(()),
    }
}

fn left(own: Option<&str>) -> Failure {
    let next = match own {
        Some(own) => format!("topic {own} may be left: 'thalweg topic delete {own} --yes' deletes it"),
        None => "what was written stays".to_owned(),
    };
    Failure::new(Exit::Interrupted, "interrupted before it was done", next)
}

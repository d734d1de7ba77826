//! How many partitions the topics of a group have: what its leader shares out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::ErrorCode;

use super::waiting::{Heed, Interrupt};
use super::{Membership, News};
use crate::consumer::ConsumeError;
use crate::coordinator::may_pass;

/// How often a broker is asked that doesn't know a topic: it may not have heard of it yet.
const ATTEMPTS: u32 = 3;

/// How soon it looks again while a topic is missing.
const LOOK_FOR_MISSING: Duration = Duration::from_secs(5);

impl Membership {
    /// How many partitions the topics have, none where they aren't there; `None` if nobody tells just now.
    pub(super) async fn count(
        &mut self,
        topics: &BTreeSet<String>,
        heed: Heed,
    ) -> Result<Option<BTreeMap<String, usize>>, Interrupt> {
        self.next_look = self.now() + self.coordination.client.options().metadata_max_age;
        let mut backoff = self.coordination.client.backoff();
        let mut told = None;
        for attempt in 1..=ATTEMPTS {
            let client = self.coordination.client.clone();
            match self.beating(async move { client.counts(topics).await }, heed).await? {
                Ok(counts) => told = Some(counts),
                Err(error) => self.check(&error)?,
            }
            let is_final = |outcome: &Result<usize, ErrorCode>| !outcome.is_err_and(may_pass);
            if told.as_ref().is_some_and(|told| attempt == ATTEMPTS || told.values().all(is_final)) {
                break;
            }
            let (clock, pause) = (self.clock(), backoff.failed(&*self.coordination.client.world().entropy));
            self.beating(async move { clock.sleep(pause).await }, heed).await?;
        }
        Ok(told.map(|told| told.into_iter().map(|(topic, outcome)| self.counted(topic, outcome)).collect()))
    }

    fn counted(&mut self, topic: String, outcome: Result<usize, ErrorCode>) -> (String, usize) {
        let count = match outcome {
            Ok(count) => count,
            Err(code) if may_pass(code) => {
                self.next_look = self.next_look.min(self.now() + LOOK_FOR_MISSING);
                let known = self.counts.as_ref().and_then(|counts| counts.get(&topic).copied());
                // Only who says that it isn't there is believed.
                known.filter(|_| code != ErrorCode::UnknownTopicOrPartition).unwrap_or(0)
            }
            Err(code) => {
                if !self.refused.contains(&topic) {
                    self.tell_refused(&topic, code);
                    self.refused.insert(topic.clone());
                }
                return (topic, 0);
            }
        };
        self.refused.remove(&topic);
        (topic, count)
    }

    /// Who leads asks for topics of others, too, which are not its program's business.
    fn tell_refused(&self, topic: &str, code: ErrorCode) {
        tracing::warn!(group = %self.coordination.group, topic, %code, "a topic can't be shared out");
        if self.topics.contains(topic) {
            let error = ConsumeError::Topic { topic: Arc::from(topic), code };
            self.desk.change(|state| state.tell(News::Failed(error)));
            self.consumer.came.notify_one();
        }
    }
}

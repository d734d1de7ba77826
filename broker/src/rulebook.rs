//! Which settings hold, and which may be set, in the light of what brokers were told while they ran.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use thalweg_coordinators::cluster::{Image, Resource, SettingRules};

use crate::settings::table::{self, Kind};
use crate::settings::{Reach, Settings, TopicSettings};

/// The settings that hold under an image. Computed anew only when what brokers were told has changed.
pub struct InForce {
    started: Settings,
    now: Mutex<Now>,
}

struct Now {
    /// What was changed for this broker.
    own: BTreeMap<String, String>,
    /// What was changed for all brokers.
    shared: BTreeMap<String, String>,
    settings: Arc<Settings>,
}

impl InForce {
    /// For a broker that was started with these.
    pub fn new(started: Settings) -> InForce {
        let (own, shared) = (BTreeMap::new(), BTreeMap::new());
        let now = Now { own, shared, settings: Arc::new(started.clone()) };
        InForce { started, now: Mutex::new(now) }
    }

    /// What holds under this image: the same object as long as it is the same.
    pub fn under(&self, image: &Image) -> Arc<Settings> {
        let of = |name| image.settings(&Resource { kind: Resource::BROKER, name });
        let (own, shared) = (of(self.started.node.to_string()), of(String::new()));
        let (own, shared) = (own.unwrap_or(&NOTHING), shared.unwrap_or(&NOTHING));
        let mut now = self.now.lock().expect("no code panics while it holds the settings");
        if (&now.own, &now.shared) != (own, shared) {
            let settings = self.started.changed(Reach::One, own).changed(Reach::All, shared);
            *now = Now { own: own.clone(), shared: shared.clone(), settings: Arc::new(settings) };
        }
        now.settings.clone()
    }
}

static NOTHING: BTreeMap<String, String> = BTreeMap::new();

/// What judges settings for the controller, by the broker's table.
pub struct Rulebook(pub InForce);

impl SettingRules for Rulebook {
    fn check_topic(
        &self,
        cluster: &Image,
        before: Option<&BTreeMap<String, String>>,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let broker = self.0.under(cluster);
        let after = TopicSettings::new(&broker, settings).map_err(|error| error.to_string())?;
        match before.map(|before| TopicSettings::new(&broker, before)) {
            Some(Ok(before)) => after.check_fixed(&before).map_err(|error| error.to_string()),
            // What it has can't be understood, so it lives by the defaults; or it is new.
            Some(Err(_)) | None => Ok(()),
        }
    }

    fn check_broker(&self, cluster: &Image, name: &str, settings: &BTreeMap<String, String>) -> Result<(), String> {
        let reach = if name.is_empty() { Reach::All } else { Reach::One };
        let before = self.0.under(cluster);
        before.check_changes(reach, settings)?;
        // What a topic has was checked against the defaults of its day: they must not be pulled away from under it.
        let after = before.changed(reach, settings);
        for topic in cluster.topics().filter(|topic| !topic.settings().is_empty()) {
            if let Err(error) = TopicSettings::new(&after, topic.settings())
                && TopicSettings::new(&before, topic.settings()).is_ok()
            {
                return Err(format!("The topic '{}' can't have these defaults: {error}", topic.name()));
            }
        }
        Ok(())
    }

    fn list_default(&self, of: &Resource, name: &str) -> Option<String> {
        let setting = match of.kind {
            Resource::TOPIC => table::topic_setting(name),
            _ => table::broker_setting(name),
        };
        let default = setting.filter(|setting| setting.kind == Kind::List)?.default;
        Some(default.unwrap_or_default().to_owned())
    }
}

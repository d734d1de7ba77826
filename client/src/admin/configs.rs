//! Settings of topics and brokers: read, and changed one by one.

use thalweg_messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use thalweg_messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use thalweg_wire::BrokerId;

use super::{Admin, Mode, Refused};
use crate::cluster::{ClientError, Purpose};

/// The first version of DescribeConfigs that tells what a setting is for (KIP-569).
const DOCUMENTED_FROM: i16 = 3;

/// What has settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// A topic.
    Topic(String),
    /// A broker.
    Broker(BrokerId),
    /// All brokers: what holds where one says nothing itself.
    AllBrokers,
}

impl Resource {
    fn code(&self) -> (i8, String) {
        match self {
            Resource::Topic(name) => (2, name.clone()),
            Resource::Broker(id) => (4, id.to_string()),
            Resource::AllBrokers => (4, String::new()),
        }
    }
}

/// Where a setting's value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// It was set for the topic.
    Topic,
    /// It was set for the broker while it ran.
    Broker,
    /// It was set for all brokers while they ran.
    AllBrokers,
    /// The broker was started with it.
    Start,
    /// Nobody set it.
    Default,
    /// Something else, by Kafka's number.
    Other(i8),
}

impl Source {
    fn of(code: i8) -> Source {
        match code {
            1 => Source::Topic,
            2 => Source::Broker,
            3 => Source::AllBrokers,
            4 => Source::Start,
            5 => Source::Default,
            other => Source::Other(other),
        }
    }
}

/// A setting, and what it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value; `None`: none, or a secret.
    pub value: Option<String>,
    /// Where that comes from.
    pub source: Source,
    /// Whether it is a secret.
    pub is_sensitive: bool,
    /// Whether it can't be changed while the broker runs.
    pub is_read_only: bool,
    /// What it is for, in the broker's words; `None` where it says nothing.
    pub documentation: Option<String>,
}

/// What to do with a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// It gets this value.
    Set(String),
    /// It goes back to what holds when nobody says anything.
    Reset,
    /// A list gets these elements besides.
    Append(String),
    /// A list loses these elements.
    Subtract(String),
}

impl Change {
    fn code(&self) -> (i8, Option<String>) {
        match self {
            Change::Set(value) => (0, Some(value.clone())),
            Change::Reset => (1, None),
            Change::Append(more) => (2, Some(more.clone())),
            Change::Subtract(less) => (3, Some(less.clone())),
        }
    }
}

impl Admin {
    /// The settings of a resource, by name.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Refused`] if there is no such resource.
    pub async fn configs(&self, of: &Resource) -> Result<Vec<Setting>, ClientError> {
        let (resource_type, resource_name) = of.code();
        let resource = DescribeConfigsResource { resource_type, resource_name, ..DescribeConfigsResource::default() };
        let mut request = DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() };
        self.client.metadata(Some(&[])).await?;
        let connection = match of {
            // A broker knows only its own.
            Resource::Broker(id) => self.client.connection_to(*id, Purpose::Requests).await?,
            Resource::Topic(_) | Resource::AllBrokers => self.client.connection_to_anybody().await?,
        };
        let version = connection.version_of::<DescribeConfigsRequest>(i16::MAX)?;
        request.include_documentation = version >= DOCUMENTED_FROM;
        let response = connection.call_at(&request, version).await?;
        let mut settings = Vec::new();
        for told in response.results {
            if let Err(Refused { code, message }) = Refused::check(told.error_code, told.error_message.as_deref()) {
                return Err(ClientError::Refused { code, what: message });
            }
            settings.extend(told.configs.into_iter().map(|config| Setting {
                name: config.name,
                value: config.value,
                source: Source::of(config.config_source),
                is_sensitive: config.is_sensitive,
                is_read_only: config.read_only,
                documentation: config.documentation,
            }));
        }
        settings.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(settings)
    }

    /// Changes settings of a resource: all of them, or none. The others stay as they are.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Refused`] if they stay as they are.
    pub async fn alter_configs(
        &self,
        of: &Resource,
        changes: &[(&str, Change)],
        mode: Mode,
    ) -> Result<(), ClientError> {
        let (resource_type, resource_name) = of.code();
        let configs = changes.iter().map(|(name, change)| {
            let (config_operation, value) = change.code();
            AlterableConfig { name: (*name).to_owned(), config_operation, value, ..AlterableConfig::default() }
        });
        let resource = AlterConfigsResource {
            resource_type,
            resource_name,
            configs: configs.collect(),
            ..AlterConfigsResource::default()
        };
        let request = IncrementalAlterConfigsRequest {
            resources: vec![resource],
            validate_only: mode == Mode::Check,
            ..IncrementalAlterConfigsRequest::default()
        };
        let response = match of {
            Resource::Broker(id) => {
                self.client.metadata(Some(&[])).await?;
                self.client.connection_to(*id, Purpose::Requests).await?.call(&request).await?
            }
            Resource::Topic(_) | Resource::AllBrokers => self.ask_controller(&request).await?,
        };
        for told in response.responses {
            if let Err(Refused { code, message }) = Refused::check(told.error_code, told.error_message.as_deref()) {
                return Err(ClientError::Refused { code, what: message });
            }
        }
        Ok(())
    }
}

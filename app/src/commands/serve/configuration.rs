//! Gathers what was said about settings: flags, `--set`, `THALWEG_*` and a properties file. Which of them wins is decided
//! in `thalweg_broker::settings`, which sees neither the environment nor a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use thalweg_broker::settings::{
    Given, Layers, Origin, Settings, Warning, data_directory, properties, setting_of_variable,
};
use thalweg_world::Disk;
use thalweg_world::disk::Open;

use crate::failure::{Exit, Failure};

/// The variables that stand for a flag; all other `THALWEG_*` are settings.
const FLAG_VARIABLES: [&str; 7] = [
    "THALWEG_ADVERTISE",
    "THALWEG_BOOTSTRAP",
    "THALWEG_CONFIG",
    "THALWEG_DATA",
    "THALWEG_LISTEN",
    "THALWEG_LOG_FORMAT",
    "THALWEG_LOG_LEVEL",
];

/// Where Linux keeps the machine's name.
const HOSTNAME_FILE: &str = "/proc/sys/kernel/hostname";

/// What the command line said about settings.
#[derive(Default)]
pub(crate) struct Flags {
    /// `--listen`.
    pub(crate) listen: Option<String>,
    /// `--advertise`.
    pub(crate) advertise: Option<String>,
    /// `--data`.
    pub(crate) data: Option<String>,
    /// `--config`.
    pub(crate) config: Option<String>,
    /// `--set`, in order.
    pub(crate) set: Vec<(String, String)>,
}

/// The part of the process's environment that is ours: variables that begin with `THALWEG_`, by name.
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes what is ours out of all variables.
    pub(crate) fn new(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Environment, Failure> {
        let ours = variables.filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| setting_of_variable(name).is_some())?;
            let not_text = |_| Failure::in_one_line(Exit::Usage, format!("the value of {name} is not UTF-8"));
            Some(value.into_string().map_err(not_text).map(|value| (name, value)))
        });
        ours.collect::<Result<_, _>>().map(Environment)
    }

    /// The value of one variable; an empty one says nothing.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads the file, puts the layers together and checks them.
pub(crate) fn gather(
    flags: &Flags,
    environment: &Environment,
    disk: &dyn Disk,
) -> Result<(Settings, Vec<Warning>), Failure> {
    let file = match flags.config.as_deref().or_else(|| environment.variable("THALWEG_CONFIG")) {
        Some(path) => read_file(disk, path)?,
        None => Vec::new(),
    };
    let set = flags.set.iter().map(|(name, value)| given(name, value, Origin::Set));
    let layers = Layers {
        flags: shorthands(
            [
                ("listeners", flags.listen.as_deref(), Origin::Flag("--listen")),
                ("advertised.listeners", flags.advertise.as_deref(), Origin::Flag("--advertise")),
            ],
            (flags.data.as_deref(), Origin::Flag("--data")),
        )?,
        set: set.collect(),
        environment: environment_layer(environment)?,
        file,
    };
    let hostname = read(disk, HOSTNAME_FILE).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let hostname = hostname.as_deref().map(str::trim).filter(|name| !name.is_empty());
    Settings::new(&layers, hostname)
        .map_err(|refusal| Failure::in_one_line(Exit::Usage, in_lines(&refusal.to_string())))
}

fn environment_layer(environment: &Environment) -> Result<Vec<Given>, Failure> {
    let origin = |name: &str| Origin::Environment(name.to_owned());
    let mut layer = shorthands(
        [
            ("listeners", environment.variable("THALWEG_LISTEN"), origin("THALWEG_LISTEN")),
            ("advertised.listeners", environment.variable("THALWEG_ADVERTISE"), origin("THALWEG_ADVERTISE")),
        ],
        (environment.variable("THALWEG_DATA"), origin("THALWEG_DATA")),
    )?;
    // A setting by its own name is plainer than a shorthand, so it stands behind and wins.
    layer.extend(
        environment
            .0
            .iter()
            .filter(|(name, _)| !FLAG_VARIABLES.contains(&name.as_str()))
            .filter_map(|(name, value)| setting_of_variable(name).map(|setting| given(&setting, value, origin(name)))),
    );
    Ok(layer)
}

fn shorthands(
    listening: [(&str, Option<&str>, Origin); 2],
    (data, origin): (Option<&str>, Origin),
) -> Result<Vec<Given>, Failure> {
    let mut layer: Vec<Given> =
        listening.into_iter().filter_map(|(name, value, origin)| Some(given(name, value?, origin))).collect();
    if let Some(data) = data {
        if data.is_empty() || data.contains(',') {
            return Err(Failure::in_one_line(
                Exit::Usage,
                format!("{origin}: \"{data}\" can't be a data directory: name one, without a comma"),
            ));
        }
        layer.extend(data_directory(data, &origin));
    }
    Ok(layer)
}

fn given(name: &str, value: &str, origin: Origin) -> Given {
    Given { name: name.to_owned(), value: value.to_owned(), origin }
}

fn read_file(disk: &dyn Disk, path: &str) -> Result<Vec<Given>, Failure> {
    let unusable =
        |why: String| Failure::in_one_line(Exit::Usage, format!("can't use the configuration file {path}: {why}"));
    let bytes = read(disk, path).map_err(|error| unusable(error.to_string()))?;
    let read = properties::parse(&bytes).map_err(|error| unusable(error.to_string()))?;
    let given = |property: properties::Property| Given {
        name: property.name,
        value: property.value,
        origin: Origin::File { path: path.to_owned(), line: property.line },
    };
    Ok(read.into_iter().map(given).collect())
}

/// A whole file, up to one byte more than the longest that is taken: files of the kernel don't know their size.
fn read(disk: &dyn Disk, path: &str) -> std::io::Result<Vec<u8>> {
    let file = disk.open(Path::new(path), Open::Read)?;
    let mut bytes = vec![0; properties::FILE_BYTES_MAX + 1];
    let length = file.read_at(&mut bytes, 0)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// One problem stays on the line; several get a line each.
fn in_lines(problems: &str) -> String {
    if problems.contains('\n') {
        format!("these settings can't be used:\n  {}", problems.replace('\n', "\n  "))
    } else {
        problems.to_owned()
    }
}

//! Arrows between crates only point down: who may import whom, in one table.
//!
//! The picture is in `ARCHITECTURE.md`. What a crate needs tells where it lives: bytes only, on the ground; a clock or a
//! disk, in `world`; a decision, in a pillar; an await, in a driver.

use super::Violation;

/// One crate of the house.
pub(super) struct Room {
    /// Its folder.
    pub(super) folder: &'static str,
    /// Its line in the picture, 1 at the bottom.
    line: u8,
    /// What it is made of decides which rules hold in it.
    pub(super) nature: Nature,
    /// The folders of the crates that it may import. Tests (dev-dependencies) may import whatever lies further down, and
    /// those of the client the broker; a chore's no more than the chore.
    may_import: &'static [&'static str],
}

/// What a crate may know of the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nature {
    /// A pillar: a function of its inputs. No clock, chance, disk, network, thread, await.
    Pure,
    /// It awaits, and reaches the world through the seams of `world`.
    Driver,
    /// `world` itself.
    World,
    /// A tool beside the house: nothing of ours imports it.
    Chore,
}

/// The house, from the ground up. Rooms that don't exist yet stand here so that they are built in their place.
pub(super) const HOUSE: &[Room] = &[
    Room { folder: "wire", line: 1, nature: Nature::Pure, may_import: &[] },
    Room { folder: "world", line: 1, nature: Nature::World, may_import: &["wire"] },
    Room { folder: "messages", line: 2, nature: Nature::Pure, may_import: &["wire"] },
    Room { folder: "replica", line: 2, nature: Nature::Pure, may_import: &["wire"] },
    Room { folder: "log", line: 2, nature: Nature::Driver, may_import: &["wire", "world"] },
    Room { folder: "coordinators", line: 3, nature: Nature::Pure, may_import: &["wire", "messages"] },
    Room { folder: "quorum", line: 3, nature: Nature::Driver, may_import: &["wire", "world", "log"] },
    Room {
        folder: "broker",
        line: 4,
        nature: Nature::Driver,
        may_import: &["wire", "world", "messages", "replica", "log", "coordinators", "quorum"],
    },
    Room { folder: "client", line: 4, nature: Nature::Driver, may_import: &["wire", "world", "messages"] },
    Room { folder: "http", line: 5, nature: Nature::Driver, may_import: &["wire", "world", "messages", "broker"] },
    Room { folder: "streams", line: 5, nature: Nature::Driver, may_import: &["client"] },
    Room { folder: "lake", line: 5, nature: Nature::Driver, may_import: &["client"] },
    Room {
        folder: "app",
        line: 6,
        nature: Nature::Driver,
        // The broker is for running; files on a disk are read by those who know their bytes: docs/decisions/0010.
        may_import: &["wire", "world", "messages", "log", "coordinators", "quorum", "broker", "client", "http"],
    },
    Room { folder: "bench", line: 6, nature: Nature::Chore, may_import: &["wire", "world", "messages"] },
    Room { folder: "oracle", line: 6, nature: Nature::Chore, may_import: &["messages"] },
    Room {
        folder: "fuzz",
        line: 6,
        nature: Nature::Chore,
        // Whatever reads bytes of others: docs/decisions/0011.
        may_import: &["wire", "world", "messages", "log", "quorum", "broker"],
    },
    Room { folder: "xtask", line: 6, nature: Nature::Chore, may_import: &[] },
];

/// What a pillar must not import from outside either: each of these is a way to a clock, to chance or to an executor.
const IMPURE_CRATES: &[&str] =
    &["tokio", "futures", "futures-util", "async-trait", "rand", "getrandom", "fastrand", "rustix", "libc", "turmoil"];

/// The room of a folder.
pub(super) fn room(folder: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.folder == folder)
}

/// Checks one crate's manifest. `folder` is the crate's, `manifest` the text of its `Cargo.toml`.
pub(super) fn check(folder: &str, manifest: &str) -> Vec<Violation> {
    let path = format!("{folder}/Cargo.toml");
    let Some(room) = room(folder) else {
        let why = "every crate has its place in the table of xtask/src/tidy/arrows.rs, and in ARCHITECTURE.md";
        return vec![Violation::new(&path, 1, format!("the crate `{folder}` is not in the house"), why)];
    };
    let mut violations = Vec::new();
    for (line, kind, dependency) in dependencies(manifest) {
        let Some(target) = target_of(&dependency) else {
            if room.nature == Nature::Pure && kind == Kind::Always && IMPURE_CRATES.contains(&dependency.as_str()) {
                let why = "pillars are functions of their inputs: time, chance and I/O come in by the door";
                violations.push(Violation::new(
                    &path,
                    line,
                    format!("the pillar `{folder}` imports `{dependency}`"),
                    why,
                ));
            }
            continue;
        };
        let allowed = match kind {
            Kind::Always => room.may_import.contains(&target),
            // Naming itself is how a crate's tests turn one of its features on.
            Kind::TestsOnly if target == folder => true,
            Kind::TestsOnly if room.nature == Nature::Chore => room.may_import.contains(&target),
            // The two stand side by side; each is the other's best test, and only one of them may ask.
            Kind::TestsOnly if (folder, target) == ("client", "broker") => true,
            Kind::TestsOnly => self::room(target).is_some_and(|t| t.line < room.line),
        };
        if !allowed {
            let why = "arrows between crates only point down, as in ARCHITECTURE.md";
            violations.push(Violation::new(&path, line, format!("`{folder}` imports `{target}`"), why));
        }
    }
    violations
}

/// The folder that a dependency of ours lives in.
fn target_of(dependency: &str) -> Option<&str> {
    match dependency {
        "thalweg" => Some("app"),
        "xtask" => Some("xtask"),
        other => other.strip_prefix("thalweg-"),
    }
}

/// When a dependency is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Always,
    TestsOnly,
}

/// Line, kind and name of each dependency. Reads the few forms of TOML in which manifests name dependencies:
/// `name = ..`, `name.workspace = ..`, `[dependencies.name]`, each also under `[target.'..'.]`.
fn dependencies(manifest: &str) -> Vec<(usize, Kind, String)> {
    let mut found = Vec::new();
    let mut section = None;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_start_matches('[').split(']').next().unwrap_or_default();
            section = None;
            for (table, kind) in [
                ("dev-dependencies", Kind::TestsOnly),
                ("build-dependencies", Kind::Always),
                ("dependencies", Kind::Always),
            ] {
                let inside_target = header.starts_with("target.");
                if header == table || inside_target && header.ends_with(&format!(".{table}")) {
                    section = Some(kind);
                    break;
                }
                if let Some((before, name)) = header.split_once(&format!("{table}."))
                    && (before.is_empty() || inside_target && before.ends_with('.'))
                {
                    found.push((index + 1, kind, name.trim_matches('"').to_string()));
                    break;
                }
            }
        } else if let (Some(kind), Some((key, _))) = (section, line.split_once('='))
            && !line.starts_with('#')
        {
            let name = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            // A renamed dependency is still the crate that it is.
            let package = line.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
            found.push((index + 1, kind, package.unwrap_or(name).to_string()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(folder: &str, manifest: &str) -> Vec<String> {
        check(folder, manifest).iter().map(ToString::to_string).collect()
    }

    /// Each room may only import what lies below it: the table itself is in order.
    #[test]
    fn the_table_has_no_arrow_that_climbs() {
        for room in HOUSE {
            for target in room.may_import {
                let below = self::room(target).expect("a room of the house");
                // `world` stands beside `wire` on the ground and spells its types.
                assert!(below.line < room.line || *target == "wire", "{} -> {target}", room.folder);
                assert!(room.nature != Nature::Pure || below.nature == Nature::Pure, "{} -> {target}", room.folder);
            }
        }
    }

    #[test]
    fn a_client_is_tried_on_a_broker_and_not_the_other_way_round() {
        let tests = |of: &str| format!("[dev-dependencies]\nthalweg-{of}.workspace = true");
        assert_eq!(complaints("client", &tests("broker")).len(), 0);
        assert_eq!(complaints("broker", &tests("client")).len(), 1);
        assert_eq!(complaints("client", "[dependencies]\nthalweg-broker.workspace = true").len(), 1);
    }

    #[test]
    fn an_arrow_that_climbs_is_found_in_each_form_of_toml() {
        for manifest in [
            "[dependencies]\nthalweg-broker.workspace = true",
            "[dependencies]\nthalweg-broker = { path = \"../broker\" }",
            "[dependencies]\nfriend = { package = \"thalweg-broker\", path = \"../broker\" }",
            "\n[dependencies.thalweg-broker]\nworkspace = true",
            "[build-dependencies]\nthalweg-broker.workspace = true",
            "[dev-dependencies]\nthalweg-broker.workspace = true",
            "[target.'cfg(unix)'.dependencies]\nthalweg-broker.workspace = true",
        ] {
            assert_eq!(
                complaints("log", manifest),
                [
                    "log/Cargo.toml:2: `log` imports `broker` — arrows between crates only point down, as in ARCHITECTURE.md"
                ],
                "{manifest}"
            );
        }
    }

    #[test]
    fn tests_may_import_what_lies_further_down() {
        assert_eq!(complaints("quorum", "[dev-dependencies]\nthalweg-replica.workspace = true"), Vec::<String>::new());
        assert_eq!(complaints("quorum", "[dev-dependencies]\nthalweg-quorum.workspace = true"), Vec::<String>::new());
        assert_eq!(complaints("quorum", "[dependencies]\nthalweg-replica.workspace = true").len(), 1);
    }

    #[test]
    fn a_chores_tests_may_import_what_the_chore_may() {
        assert_eq!(complaints("oracle", "[dev-dependencies]\nthalweg-messages.workspace = true"), Vec::<String>::new());
        assert_eq!(complaints("oracle", "[dev-dependencies]\nthalweg-log.workspace = true").len(), 1);
        assert_eq!(complaints("xtask", "[dev-dependencies]\nthalweg-wire.workspace = true").len(), 1);
    }

    #[test]
    fn a_pillar_with_an_executor_is_found_unless_only_its_tests_have_one() {
        let found = complaints("replica", "[dependencies]\n# tokio = \"1\"\ntokio.workspace = true");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("replica/Cargo.toml:3: the pillar `replica` imports `tokio`"), "{found:?}");
        assert_eq!(complaints("replica", "[dev-dependencies]\nrand = \"1\""), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert!(complaints("attic", "")[0].contains("the crate `attic` is not in the house"));
    }
}

//! Names that code may not say, by where it stands: clocks, chance, disk, network, threads and await stay out of the
//! pillars; the operating system is named in `world/src/real` only; nobody waits by sleeping.

use super::Violation;
use super::arrows::{self, Nature};
use super::source::{Origin, Path, Token, paths, tokens};
use Spelling::{Begins, Holds};

/// What to look for in a path.
enum Spelling {
    /// It begins with these words.
    Begins(&'static [&'static str]),
    /// It holds these words, next to each other.
    Holds(&'static [&'static str]),
}

impl Spelling {
    fn is_in(&self, path: &Path) -> bool {
        match self {
            Begins(words) => path.begins_with(words),
            Holds(words) => path.contains(words),
        }
    }

    fn name(&self) -> String {
        let (Begins(words) | Holds(words)) = self;
        words.join("::")
    }
}

/// What a pillar never says, not even in its tests.
const IMPURE: &[Spelling] = &[
    Holds(&["Instant"]),
    Holds(&["SystemTime"]),
    Begins(&["std", "net"]),
    Begins(&["std", "thread"]),
    Begins(&["std", "process"]),
    Begins(&["tokio"]),
    Begins(&["rand"]),
    Begins(&["getrandom"]),
    Begins(&["fastrand"]),
    Begins(&["async"]),
    Begins(&["await"]),
];

/// What a pillar never says, but for tests that read fixtures.
const DISK: &[Spelling] = &[Begins(&["std", "fs"])];

/// What only `world/src/real` says, outside of tests.
const OPERATING_SYSTEM: &[Spelling] = &[
    Begins(&["std", "fs"]),
    Begins(&["std", "thread"]),
    Begins(&["std", "net", "TcpListener"]),
    Begins(&["std", "net", "TcpStream"]),
    Begins(&["std", "net", "UdpSocket"]),
    Begins(&["tokio", "fs"]),
    Begins(&["tokio", "net"]),
    Holds(&["SystemTime", "now"]),
];

/// What only `world` says, outside of tests: the simulated one reads tokio's paused clock, and answers with the errors of
/// real system calls.
const OF_BOTH_WORLDS: &[Spelling] = &[Begins(&["rustix"]), Holds(&["Instant", "now"])];

/// What the simulated world never says: a clock that nobody can pause.
const REAL_CLOCK: &[Spelling] = &[Begins(&["std", "time", "Instant"]), Begins(&["std", "time", "SystemTime"])];

/// How one waits for a while instead of for an event.
const SLEEP: &[Spelling] = &[
    Holds(&["thread", "sleep"]),
    Holds(&["tokio", "time", "sleep"]),
    Holds(&["tokio", "time", "sleep_until"]),
    Holds(&["tokio", "time", "interval"]),
    Holds(&["time", "sleep"]),
];

/// Checks one source file. `path` is relative to the workspace.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let Some(room) = path.split('/').next().and_then(arrows::room) else { return Vec::new() };
    let in_crate = &path[room.folder.len() + 1..];
    let origin = match in_crate.split('/').next() {
        Some("tests" | "benches" | "examples") => Origin::Test,
        _ if in_crate.ends_with("/tests.rs") || in_crate.contains("/tests/") => Origin::Test,
        _ => Origin::Production,
    };
    let real = path.starts_with("world/src/real");
    let tokens = tokens(text, origin);
    let mut found = Vec::new();

    for spelled in paths(&tokens) {
        let mut forbid = |rules: &[Spelling], why: &'static str| {
            if let Some(rule) = rules.iter().find(|rule| rule.is_in(&spelled)) {
                found.push(Violation::new(path, spelled.line, format!("`{}`", rule.name()), why));
            }
        };
        if room.nature == Nature::Pure {
            forbid(IMPURE, "pillars are functions of their inputs: time, chance and I/O come in by the door");
            if spelled.origin == Origin::Production {
                forbid(DISK, "pillars are functions of their inputs; only their tests read files");
            }
        } else if room.nature != Nature::Chore && !real && spelled.origin == Origin::Production {
            forbid(
                OPERATING_SYSTEM,
                "only world/src/real names the operating system: else the simulator can't replace it",
            );
            if room.nature == Nature::World {
                forbid(
                    REAL_CLOCK,
                    "the same seed has to give the same times: only world/src/real reads the real clock",
                );
            } else {
                forbid(OF_BOTH_WORLDS, "clocks and system calls are behind the seams of `world`");
            }
        }
        // `world` makes the clocks that others wait on; everybody else waits for an event, or on `world`'s clock.
        if room.nature != Nature::World {
            forbid(SLEEP, "wait for an event, or on the clock of `world`; never for a while");
        }
        if !real && spelled.segments.iter().any(|segment| segment == "unsafe") {
            let why = "only world/src/real may need it, and says there why it is sound";
            found.push(Violation::new(path, spelled.line, "`unsafe`".into(), why));
        }
    }
    found.extend(ignored_tests(&tokens).map(|line| {
        Violation::new(
            path,
            line,
            "`#[ignore]`".into(),
            "a test that nobody runs holds nothing: fix it or take it away",
        )
    }));
    if let Some(entrance) = room_entrance(in_crate)
        && !text.contains(entrance_lint(room.nature))
    {
        let what = format!("`{}` is missing", entrance_lint(room.nature));
        found.push(Violation::new(path, 1, what, entrance));
    }
    found
}

/// Why this file has to carry the lint against unsafe code, if it is the root of a crate.
fn room_entrance(in_crate: &str) -> Option<&'static str> {
    matches!(in_crate, "src/lib.rs" | "src/main.rs").then_some("the compiler holds what this check can't see: macros")
}

fn entrance_lint(nature: Nature) -> &'static str {
    match nature {
        // `real` has to be able to allow it again.
        Nature::World => "#![deny(unsafe_code)]",
        Nature::Pure | Nature::Driver | Nature::Chore => "#![forbid(unsafe_code)]",
    }
}

/// The lines of `#[ignore]` and `#[ignore = ".."]`.
fn ignored_tests(tokens: &[Token]) -> impl Iterator<Item = usize> {
    tokens.windows(3).filter(|three| three.iter().map(|t| t.text.as_str()).eq(["#", "[", "ignore"])).map(|t| t[2].line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line what` of each violation.
    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(|violation| format!("{} {}", violation.line, violation.what)).collect()
    }

    const NOTHING: [&str; 0] = [];

    /// Each way to a clock, to chance, to a disk or to an executor is seen, wherever a pillar says it.
    #[test]
    fn a_pillar_can_not_reach_the_world() {
        let text = "use std::{fs, io};\nuse std::time::{Duration, Instant};\nasync fn a() {\nb.await;\n}\n\
                    fn c() { std::thread::spawn(d); }\nuse rand::Rng;\nlet e = tokio::spawn(f);\nSystemTime::now();\n\
                    use std::net::SocketAddr;";
        assert_eq!(
            found("replica/src/leader.rs", text),
            [
                "1 `std::fs`",
                "2 `Instant`",
                "3 `async`",
                "4 `await`",
                "6 `std::thread`",
                "7 `rand`",
                "8 `tokio`",
                "9 `SystemTime`",
                "10 `std::net`"
            ]
        );
    }

    #[test]
    fn a_pillars_tests_may_read_fixtures_and_nothing_else() {
        let text = "#[cfg(test)] mod tests {\nuse std::fs;\nuse std::time::Instant;\n}";
        assert_eq!(found("messages/src/produce.rs", text), ["3 `Instant`"]);
        assert_eq!(found("messages/tests/fixtures.rs", "use std::fs;\nuse tokio::x;"), ["2 `tokio`"]);
    }

    #[test]
    fn words_that_only_look_alike_are_fine() {
        let text = "//! tokio, std::fs\nuse bytes::Bytes;\nlet operand = random(\"std::fs\"); // Instant";
        assert_eq!(found("wire/src/codec.rs", text), NOTHING);
    }

    #[test]
    fn a_driver_reaches_the_operating_system_through_world_only() {
        let text = "use std::fs::File;\nuse tokio::{net::TcpListener, sync::mpsc};\nlet a = tokio::time::Instant::now();\n\
                    std::thread::spawn(b);\nuse std::net::{SocketAddr, TcpStream};\nuse std::time::Duration;";
        let all = ["1 `std::fs`", "2 `tokio::net`", "3 `Instant::now`", "4 `std::thread`", "5 `std::net::TcpStream`"];
        assert_eq!(found("broker/src/server.rs", text), all);
        assert_eq!(found("world/src/real/disk.rs", text), NOTHING);
        assert_eq!(found("broker/tests/server.rs", text), NOTHING);
        assert_eq!(found("xtask/src/main.rs", &format!("#![forbid(unsafe_code)]\n{text}")), NOTHING);
    }

    /// Its time is tokio's, which stands still when told to; its errors are those of real calls.
    #[test]
    fn the_simulated_world_has_no_real_clock_and_no_real_disk() {
        let text = "use std::fs::File;\nuse rustix::io::Errno;\nuse tokio::time::Instant;\nInstant::now();\n\
                    use std::time::{Duration, Instant as Real};\nstd::thread::spawn(a);";
        assert_eq!(
            found("world/src/simulated/clock.rs", text),
            ["1 `std::fs`", "5 `std::time::Instant`", "6 `std::thread`"]
        );
    }

    #[test]
    fn nobody_waits_by_sleeping_but_who_makes_the_clocks() {
        let text = "std::thread::sleep(a);\nuse tokio::time::{sleep, timeout};\nclock.sleep(b);";
        assert_eq!(found("broker/tests/crash.rs", text), ["1 `thread::sleep`", "2 `tokio::time::sleep`"]);
        assert_eq!(found("xtask/tests/interop.rs", text), ["1 `thread::sleep`", "2 `tokio::time::sleep`"]);
        assert_eq!(found("world/src/real/clock.rs", text), NOTHING);
    }

    #[test]
    fn unsafe_lives_in_one_folder() {
        assert_eq!(found("log/src/journal.rs", "let a = unsafe { b };"), ["1 `unsafe`"]);
        assert_eq!(found("world/src/real/disk.rs", "let a = unsafe { b };"), NOTHING);
        assert_eq!(found("log/src/lib.rs", "//! No lint."), ["1 `#![forbid(unsafe_code)]` is missing"]);
        assert_eq!(found("world/src/lib.rs", "#![deny(unsafe_code)]"), NOTHING);
    }

    #[test]
    fn a_test_that_nobody_runs_is_found() {
        assert_eq!(found("wire/src/ids.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}"), ["2 `#[ignore]`"]);
    }
}

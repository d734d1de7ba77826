//! Without a fuzzer: `replay TARGET FILE...` runs a target over files, `replay --seeds FOLDER` writes what each begins with.

use std::path::Path;
use std::process::ExitCode;

use thalweg_fuzz::{seeds, target};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [flag, folder] if flag == "--seeds" => {
            seeds::write(Path::new(folder)).expect("the folder can be written");
            ExitCode::SUCCESS
        }
        [name, files @ ..] if let Some(target) = target(name) => {
            for file in files {
                println!("{name}: {file}");
                (target.run)(&std::fs::read(file).expect("the file can be read"));
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: replay TARGET FILE... | replay --seeds FOLDER");
            ExitCode::from(2)
        }
    }
}

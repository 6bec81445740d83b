// cargo run --release -p benches -- all
//! What the ports and the machines cost, beside what else there is.

mod error;
mod figure;
mod figures;
mod lab;
mod load;
mod machine;
mod measure;
mod process;
mod report;
mod servers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;
use crate::figure::{Figure, Peer};
use crate::figures::Entry;
use crate::lab::Lab;
use crate::report::Report;

/// Measures what the ports and the machines cost, beside what else there is.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct Arguments {
    /// `all`, `list`, or what to measure: the name of a figure, or the first words of several.
    #[arg(required = true)]
    figures: Vec<String>,
    /// Fewer runs of less work.
    #[arg(long)]
    quick: bool,
    /// Where the report goes.
    #[arg(long, value_name = "DIR", default_value = "target/benches")]
    out: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Runs one server: the lab starts itself so.
    #[command(hide = true)]
    Serve {
        work: String,
        peer: Peer,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Serve { work, peer, threads }) => {
            servers::serve(work, *peer, *threads).inspect_err(|why| println!("{why}"))
        }
        None => report(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(arguments: &Arguments) -> Result<(), Error> {
    if arguments.figures == ["list"] {
        for entry in figures::ALL {
            println!("{:24} {}", entry.name, entry.what);
        }
        return Ok(());
    }
    let lab = Lab::new(arguments.quick, &arguments.out)?;
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for entry in figures::named(&arguments.figures)? {
        match measure(&lab, entry) {
            Ok(more) => figures.extend(more),
            Err(error) => {
                lab.say(&format!("{}: {error}", entry.name));
                failed.push(entry.name);
            }
        }
        // What was measured is not lost when a later figure fails, or somebody presses Ctrl-C.
        Report::new(&figures, arguments.quick).write(&arguments.out)?;
    }
    print!("{}", report::markdown(&figures));
    lab.say(&format!("written to {}", arguments.out.display()));
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::failed(format!("not measured: {}", failed.join(", "))))
    }
}

fn measure(lab: &Lab, entry: &Entry) -> Result<Vec<Figure>, Error> {
    lab.say(&format!("{}: {}", entry.name, entry.what));
    (entry.measure)(lab)
}

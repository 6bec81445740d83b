// cargo run --release -p benches -- all
//! Measures ports and generated machines beside their alternatives.

mod certificate;
mod cpus;
mod error;
mod external;
mod figure;
mod figures;
mod host;
mod lab;
mod load;
mod measure;
mod peer;
mod process;
mod programs;
mod report;
mod servers;
mod tool;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;
use crate::figure::Figure;
use crate::figures::Entry;
use crate::lab::Lab;
use crate::peer::Peer;
use crate::programs::Program;
use crate::report::Report;

/// Measures ports and generated machines beside their alternatives.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct Arguments {
    /// `all`, `list`, or names of figures; a prefix of whole words stands for several.
    #[arg(required = true)]
    figures: Vec<String>,
    /// Makes fewer runs with less work.
    #[arg(long)]
    quick: bool,
    /// Measures these peers beside ours, and no others.
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    peers: Vec<Peer>,
    /// The directory of the report.
    #[arg(long, value_name = "DIR", default_value = "target/benches")]
    out: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Runs a server; the lab starts itself this way.
    #[command(hide = true)]
    Serve {
        workload: String,
        peer: Peer,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Runs a program without sockets; the lab starts itself this way.
    #[command(hide = true)]
    Run {
        #[command(subcommand)]
        program: Program,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Command::Serve { workload, peer, threads }) => {
            // The lab reads the first line of stdout: an address, or the reason for its absence.
            servers::serve(workload, *peer, *threads).inspect_err(|error| println!("{error}"))
        }
        Some(Command::Run { program }) => program.run(),
        None if arguments.figures == ["list"] => {
            list();
            Ok(())
        }
        None => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    for Entry { name, description, .. } in figures::ALL {
        println!("{name:24} {description}");
    }
}

fn measure(arguments: &Arguments) -> Result<(), Error> {
    let lab = Lab::new(arguments.quick, &arguments.peers, &arguments.out)?;
    let mut figures: Vec<Figure> = Vec::new();
    let mut failed = Vec::new();
    for entry in figures::named(&arguments.figures)? {
        lab.log(&format!("{}: {}", entry.name, entry.description));
        match (entry.measure)(&lab) {
            Ok(more) => figures.extend(more),
            Err(error) => {
                lab.log(&format!("{}: {error}", entry.name));
                failed.push(entry.name);
            }
        }
        // Writing after each entry keeps the results if a later one fails or Ctrl-C ends the run.
        Report::new(&figures, arguments.quick).write(&arguments.out)?;
    }
    print!("{}", report::markdown(&figures));
    lab.log(&format!("the report is in {}", arguments.out.display()));
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::failed(format!("not measured: {}", failed.join(", "))))
    }
}

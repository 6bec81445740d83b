//! Output of a run: tables, data and pictures.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::error::Error;
use crate::figure::Figure;
use crate::host::Host;

mod markdown;
mod number;
mod svg;

pub(crate) use self::markdown::markdown;

/// All results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    host: Host,
    quick: bool,
    figures: &'a [Figure],
}

impl<'a> Report<'a> {
    pub(crate) fn new(figures: &'a [Figure], quick: bool) -> Self {
        Self { host: Host::detect(), quick, figures }
    }

    /// Writes `report.md`, `report.json`, and a picture of each figure.
    pub(crate) fn write(&self, out: &Path) -> Result<(), Error> {
        let json =
            serde_json::to_string_pretty(self).map_err(|error| Error::failed(error.to_string()))?;
        write(&out.join("report.json"), &(json + "\n"))?;
        let text = format!("{}\n\n{}", self.host.line(), markdown(self.figures));
        write(&out.join("report.md"), &text)?;
        for figure in self.figures {
            write(&out.join(format!("{}.svg", figure.name)), &svg::picture(figure)?)?;
        }
        Ok(())
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    fs::write(file, text).map_err(Error::doing(file.display()))
}

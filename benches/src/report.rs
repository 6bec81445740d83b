//! What is handed out: tables, data and pictures.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::machine::Machine;
use crate::{Error, Figure};

mod markdown;
mod svg;

pub(crate) use markdown::markdown;

/// All of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    machine: Machine,
    quick: bool,
    figures: &'a [Figure],
}

impl<'a> Report<'a> {
    pub(crate) fn new(figures: &'a [Figure], quick: bool) -> Self {
        Self { machine: Machine::look(), quick, figures }
    }

    /// Writes `report.md`, `report.json`, and a picture of each figure.
    pub(crate) fn write(&self, out: &Path) -> Result<(), Error> {
        let doing = |file: &Path| Error::doing(file.display().to_string());
        let file = out.join("report.json");
        let json =
            serde_json::to_string_pretty(self).map_err(|error| Error::failed(error.to_string()))?;
        fs::write(&file, json + "\n").map_err(doing(&file))?;
        let file = out.join("report.md");
        let text = format!("{}\n\n{}", self.machine.line(), markdown(self.figures));
        fs::write(&file, text).map_err(doing(&file))?;
        for figure in self.figures {
            let file = out.join(format!("{}.svg", figure.name));
            fs::write(&file, svg::picture(figure)?).map_err(doing(&file))?;
        }
        Ok(())
    }
}

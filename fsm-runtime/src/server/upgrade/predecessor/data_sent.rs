use std::io;
use std::sync::PoisonError;
use std::time::Instant;

use super::lost;
use crate::net::fd_channel::FdChannel;
use crate::server::upgrade::data::PartWriter;
use crate::server::upgrade::launch::Site;

/// The data of the application on its way. Dropping it in between tells the application that nothing comes of it.
pub(super) struct DataSent<'a> {
    site: &'a Site,
    has_begun: bool,
}

impl<'a> DataSent<'a> {
    pub(super) fn new(site: &'a Site) -> Self {
        Self { site, has_begun: false }
    }

    /// Whether there is data, of which the application has been asked for the first part.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Notes that the new process has it all, and keeps it.
    pub(super) fn is_over(&mut self) {
        self.has_begun = false;
    }

    pub(super) fn first(&mut self, to: &FdChannel) -> Result<(), String> {
        let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = &mut *data else { return Ok(()) };
        self.has_begun = true;
        let mut part = PartWriter::new(to, None);
        data.send(&mut part).and_then(|()| part.finish()).map_err(|error| cannot_send(&error))
    }

    pub(super) fn last(&self, to: &FdChannel, until: Instant) -> Result<(), String> {
        let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = &mut *data else { return Ok(()) };
        let mut part = PartWriter::new(to, Some(until));
        data.send_last(&mut part).and_then(|()| part.finish()).map_err(|error| cannot_send(&error))
    }
}

impl Drop for DataSent<'_> {
    fn drop(&mut self) {
        if self.has_begun {
            let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(data) = &mut *data {
                data.cancel();
            }
        }
    }
}

fn cannot_send(error: &io::Error) -> String {
    format!("cannot send the data: {}", lost(error))
}

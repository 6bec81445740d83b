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
    stands_still: bool,
}

impl<'a> DataSent<'a> {
    pub(super) fn new(site: &'a Site) -> Self {
        Self { site, has_begun: false, stands_still: false }
    }

    /// Whether there is data of which a last part follows, while all stand still.
    pub(super) fn stands_still(&self) -> bool {
        self.stands_still
    }

    /// Notes that the new process has all that it needs, and keeps it.
    pub(super) fn is_over(&mut self) {
        self.has_begun = false;
    }

    pub(super) fn first(&mut self, to: &FdChannel) -> Result<(), String> {
        let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = &mut *data else { return Ok(()) };
        self.has_begun = true;
        self.stands_still = data.stands_still();
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
    match error.kind() {
        // The application has a reason of its own.
        io::ErrorKind::Other => format!("cannot send the data: {error}"),
        _ => format!("cannot send the data: {}", lost(error)),
    }
}

//! The events of `tracing`, as the runtime logs them: with `crate::log::warn!` and the like, and never
//! with the macros of `tracing` themselves.
//!
//! A subscriber may panic, because its writer cannot write: `tracing-subscriber` does if stderr is a
//! closed pipe. So may the `Display` of a value in an event. The event is then lost; the thread and
//! what it was doing go on.

macro_rules! log_error {
    ($($event:tt)+) => { $crate::log::event!(error, $($event)+) };
}

macro_rules! log_warn {
    ($($event:tt)+) => { $crate::log::event!(warn, $($event)+) };
}

macro_rules! log_info {
    ($($event:tt)+) => { $crate::log::event!(info, $($event)+) };
}

macro_rules! log_debug {
    ($($event:tt)+) => { $crate::log::event!(debug, $($event)+) };
}

macro_rules! log_trace {
    ($($event:tt)+) => { $crate::log::event!(trace, $($event)+) };
}

macro_rules! log_event {
    ($level:ident, $($event:tt)+) => {
        $crate::panics::call(&mut || ::tracing::$level!($($event)+))
    };
}

pub(crate) use log_debug as debug;
pub(crate) use log_error as error;
pub(crate) use log_event as event;
pub(crate) use log_info as info;
pub(crate) use log_trace as trace;
pub(crate) use log_warn as warn;

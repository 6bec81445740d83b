/// The descriptors that a process needs beside those of its connections.
#[cfg(unix)]
const OTHERS: u64 = 256;

/// Raises this process's limit of open files to the need of `sockets`, as far as the hard limit
/// allows. Warns if that is not enough, because the listeners would then wait for a free descriptor
/// before the pool is full.
#[cfg(unix)]
pub(crate) fn allow(pool: &str, sockets: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = (sockets as u64).saturating_add(OTHERS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(limit) = current.filter(|limit| *limit < needed) else { return };
    let wanted = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let limit = if raised.is_ok() { wanted } else { limit };
    if limit < needed {
        crate::log::warn!(
            pool,
            sockets,
            needed,
            allowed = limit,
            "the limit of open files is below the need of the connections; see `ulimit -n`"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn allow(_: &str, _: usize) {}

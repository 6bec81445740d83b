/// Descriptors that a process needs beside its connections.
#[cfg(unix)]
const OTHERS: u64 = 256;

/// Raises this process's limit of open files to what `connections` need, as far as it may, and
/// warns where that is not enough: then the listeners would wait for a free descriptor before the
/// pool is full.
#[cfg(unix)]
pub(crate) fn allow(pool: &str, connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = (connections as u64).saturating_add(OTHERS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(limit) = current.filter(|limit| *limit < needed) else { return };
    let wanted = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let limit = if raised.is_ok() { wanted } else { limit };
    if limit < needed {
        tracing::warn!(
            pool,
            connections,
            needed,
            allowed = limit,
            "fewer files may be open than so many connections need; see `ulimit -n`"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn allow(_: &str, _: usize) {}

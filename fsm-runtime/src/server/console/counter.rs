use std::fmt;
use std::sync::Arc;

/// A counter of the program's own.
#[derive(Clone)]
pub(super) struct Counter {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Counter {
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        value: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        assert!(is_name, "`{name}` is no name of a metric");
        assert!(
            !help.contains(['\n', '\\']),
            "the help of `{name}` is one line without a backslash"
        );
        Self { name, help, value: Arc::new(value) }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, help, value } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}", value())
    }
}

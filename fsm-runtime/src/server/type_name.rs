/// The last name of a path.
pub(crate) fn short(name: &str) -> &str {
    let path = name.split('<').next().unwrap_or(name);
    &name[path.rfind("::").map_or(0, |at| at + 2)..]
}

/// Returns the name of a type without the path to it and without its parameters.
pub(crate) fn short(name: &str) -> &str {
    let path = name.split('<').next().unwrap_or(name);
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_path_nor_the_parameters_are_shown() {
        for (name, expected) in [
            ("Echo", "Echo"),
            ("server::echo::Echo", "Echo"),
            ("server::Echo<server::Frames, u8>", "Echo"),
        ] {
            assert_eq!(short(name), expected);
        }
    }
}

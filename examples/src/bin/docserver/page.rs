//! The page for people.

/// The page: one file that asks for nothing but this server's own answers.
pub(crate) const PAGE: &str = include_str!("page.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_in_a_browser_find_what_they_look_for() {
        for id in ["file", "drop", "progress", "docs", "query", "results", "events", "status"] {
            assert_eq!(PAGE.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }

    #[test]
    fn the_page_is_all_there_is() {
        for outside in ["://", "@import", " src=", "innerHTML"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }
}

//! The HTML page.

/// The page: one file that loads nothing but this server's own responses.
pub(crate) const PAGE: &str = include_str!("page.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_elements_that_browser_tests_use() {
        for id in ["file", "drop", "progress", "docs", "query", "results", "events", "status"] {
            assert_eq!(PAGE.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }

    #[test]
    fn the_page_loads_nothing_else() {
        for outside in ["://", "@import", " src=", "innerHTML"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }
}

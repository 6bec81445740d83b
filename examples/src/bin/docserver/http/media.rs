//! Types of documents.

/// The type that a document is served as, by the end of its name.
///
/// What a browser would run is served as plain text: a document comes from anybody, and is read
/// on the same origin as the page.
pub(crate) fn media_type(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "txt" | "md" | "csv" | "log" | "json" | "xml" | "html" | "htm" | "css" | "js" | "rs"
        | "py" | "c" | "h" | "toml" | "yaml" | "yml" | "sh" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_browser_would_run_is_served_as_such() {
        for (name, expected) in [
            ("a.txt", "text/plain; charset=utf-8"),
            ("A.HTML", "text/plain; charset=utf-8"),
            ("a.js", "text/plain; charset=utf-8"),
            ("a.png", "image/png"),
            ("a.svg", "application/octet-stream"),
            ("a.xhtml", "application/octet-stream"),
            ("txt", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name), expected, "{name}");
        }
    }
}

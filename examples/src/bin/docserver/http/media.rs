//! Media types of documents.

/// The media type of a document, by the extension of its name.
///
/// Types that a browser would run are served as plain text, because anybody can upload a document,
/// and the browser loads it from the same origin as the page.
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

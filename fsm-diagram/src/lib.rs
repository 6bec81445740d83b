//! Draws the states of a machine while its documentation is built: no script, no network, no fonts
//! of the building machine. The picture is part of the page and takes its colours from the theme
//! that the reader has chosen.
//!
//! ```
//! /// Answers lines.
//! #[doc = fsm_diagram::picture!(
//!     "stateDiagram-v2
//!     [*] --> Line
//!     Line --> Line
//!     Line --> Leaving: limit
//!     Line --> Closed: eof, idle 60s
//!     Leaving --> Closed
//!     Closed --> [*]"
//! )]
//! pub enum Shout {
//!     Line,
//!     Leaving,
//!     Closed,
//! }
//! ```
//!
//! The passes, each a plain function:
//!
//! ```text
//! text -> chart -> plan -> route -> svg
//! ```
//!
//! `chart` reads the text, `plan` has [`dagre-dgl-rs`] put states and labels into rows, `route`
//! leads the edges through the rows, `svg` writes it down. An edge bends only between two rows and
//! goes straight through each, in a lane of its own, so it never touches a state or a label that
//! is not its own.
//!
//! [`dagre-dgl-rs`]: https://docs.rs/dagre-dgl-rs
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chart;
mod ends;
mod geometry;
mod lines;
mod picture;
mod plan;
mod route;
#[cfg(test)]
mod sample;
mod svg;

use proc_macro::{Literal, TokenStream, TokenTree};

/// Draws a state diagram: turns a string literal into another one, for `#[doc = ..]`.
///
/// Put it below the first paragraph of the documentation, which rustdoc shows in lists. It needs no
/// blank lines around it.
///
/// ```
/// /// A door.
/// #[doc = fsm_diagram::picture!("stateDiagram-v2\nShut --> Open: key\nOpen --> Shut")]
/// pub enum Door {
///     Shut,
///     Open,
/// }
/// ```
///
/// # The text
///
/// A part of the language of Mermaid, a statement a line. It is drawn from top to bottom, or from left to right if it
/// is wider than a page otherwise; the page scrolls what is still too wide.
///
/// | line | meaning |
/// |---|---|
/// | `stateDiagram-v2` | stands first |
/// | `A --> B` | an edge; `A --> A` is one that stays |
/// | `A --> B: eof, within 30s` | an edge with a label |
/// | `[*] --> A`, `B --> [*]` | the start, an end |
/// | `A` | a state |
/// | `A: text`, `state "text" as A` | a state's other name; a second text stands below it |
/// | `note right of A: text` | a note at a state, also `left of` |
/// | `direction TB` | allowed, without effect |
/// | `%% text` | a comment |
///
/// The name of a state is made of letters, digits and `_`. A label or text ends with its line;
/// `<br>` breaks it. It is taken literally but for what Mermaid too writes as `#59;` or `#quot;`: a
/// character by its number or as `quot`, `amp`, `lt` or `gt`. Labels of edges between the same two
/// states stand below each other at one arrow.
///
/// A digit in a circle, such as ①, at the start of a note and at the end of the names of states connects them: pointing
/// at the note shows the states, and pointing at a state shows its notes.
///
/// # Limits
///
/// If the text cannot be drawn, the literal is one line that says why and names the line. This is
/// so for other Mermaid statements, for more than 80 states, 300 edges or 64 KiB (because the
/// layout would take ten seconds), and for an argument that is not a string literal.
#[proc_macro]
pub fn picture(input: TokenStream) -> TokenStream {
    let picture = match syn::parse::<syn::LitStr>(input) {
        Ok(text) => picture::picture(&text.value()),
        Err(_) => picture::error_line("this is not one string literal"),
    };
    TokenTree::from(Literal::string(&picture)).into()
}

use proc_macro2::{Spacing, TokenStream, TokenTree};

/// Whether a token is this mark.
pub(crate) fn is_mark(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == expected)
}

/// Whether the first tokens are the mark of two characters that `marks` are.
pub(crate) fn is_pair(tokens: &[TokenTree], marks: &str) -> bool {
    let mut marks = marks.chars();
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), ..] => {
            first.spacing() == Spacing::Joint
                && marks.next() == Some(first.as_char())
                && marks.next() == Some(second.as_char())
        }
        _ => false,
    }
}

/// An expression and its bound, which stands behind the last `<=`.
pub(crate) fn bounded(value: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let tokens: Vec<TokenTree> = value.clone().into_iter().collect();
    let at = (0..tokens.len()).rev().find(|at| is_pair(&tokens[*at..], "<="))?;
    let side = |tokens: &[TokenTree]| tokens.iter().cloned().collect();
    Some((side(&tokens[..at]), side(&tokens[at + 2..])))
}

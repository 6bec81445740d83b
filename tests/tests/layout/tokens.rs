//! The paths in a source that begin with `crate`, `self` or `super`.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::sources::Module;

/// The modules that a source declares and uses.
#[derive(Default)]
pub(crate) struct Found {
    /// The source's own, and those in it.
    pub(crate) modules: Vec<Module>,
    /// Those of them, and of other files, that are built for tests alone.
    pub(crate) tests: Vec<Module>,
    pub(crate) mentions: Vec<Mention>,
}

/// A path of the crate, as some code mentions it.
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) from: Module,
    /// From the root on.
    pub(crate) path: Vec<String>,
    /// Its name in the code, unless that is `*` or `_`.
    pub(crate) name: Option<String>,
}

/// Reads the source of a module.
pub(crate) fn scan(source: &str, module: Module) -> Found {
    let tokens = TokenStream::from_str(source).expect("the source is Rust");
    let mut found = Found::default();
    found.scan(tokens, &module);
    found.modules.push(module);
    found
}

impl Found {
    fn scan(&mut self, tokens: TokenStream, module: &Module) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            rest = after;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let [TokenTree::Group(attribute), after @ ..] = after
                        && is_for_tests(attribute)
                    {
                        rest = self.skip(after, module);
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let [TokenTree::Ident(name), TokenTree::Group(body), after @ ..] = after {
                        let inner = [module.as_slice(), &[name.to_string()]].concat();
                        self.scan(body.stream(), &inner);
                        self.modules.push(inner);
                        rest = after;
                    }
                }
                TokenTree::Ident(word) if is_path(after) => {
                    let path = match word.to_string().as_str() {
                        "crate" => Vec::new(),
                        "self" => module.clone(),
                        "super" => parent(module),
                        _ => continue,
                    };
                    rest = self.path(after, path, module);
                }
                TokenTree::Group(group) => self.scan(group.stream(), module),
                _ => {}
            }
        }
    }

    /// Skips the item that an attribute is for.
    fn skip<'a>(&mut self, tokens: &'a [TokenTree], module: &Module) -> &'a [TokenTree] {
        let mut rest = tokens;
        while let [token, after @ ..] = rest {
            if let [TokenTree::Ident(word), TokenTree::Ident(name), ..] = rest
                && word == "mod"
            {
                self.tests.push([module.as_slice(), &[name.to_string()]].concat());
            }
            rest = after;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ';' => break,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                _ => {}
            }
        }
        rest
    }

    /// Takes the rest of a path, which begins with `::`, and of those that branch off in braces.
    fn path<'a>(
        &mut self,
        tokens: &'a [TokenTree],
        mut path: Vec<String>,
        module: &Module,
    ) -> &'a [TokenTree] {
        let mut rest = tokens;
        let mut line = 0;
        while let [colon, _, next, after @ ..] = rest
            && is_path(rest)
        {
            line = colon.span().start().line;
            match next {
                TokenTree::Ident(name) if name == "super" => path = parent(&path),
                TokenTree::Ident(name) if name != "self" => path.push(name.to_string()),
                TokenTree::Ident(_) => {}
                TokenTree::Group(branches) => {
                    self.branches(branches, &path, module);
                    return after;
                }
                // `*`, or the arguments of a generic item.
                _ => {
                    self.mentions.push(Mention { line, from: module.clone(), path, name: None });
                    return after;
                }
            }
            rest = after;
        }
        let mut name = path.last().cloned();
        if let [TokenTree::Ident(word), TokenTree::Ident(alias), after @ ..] = rest
            && word == "as"
        {
            name = Some(alias.to_string()).filter(|alias| alias != "_");
            rest = after;
        }
        self.mentions.push(Mention { line, from: module.clone(), path, name });
        rest
    }

    /// The paths `{a::b, c}` after a common beginning.
    fn branches(&mut self, group: &Group, path: &[String], module: &Module) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let is_comma =
            |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ',');
        for branch in tokens.split(is_comma).filter(|branch| !branch.is_empty()) {
            // With `::` before it a branch is the rest of a path.
            let colons = TokenStream::from_str("::").expect("that is Rust").into_iter();
            let line = branch[0].span();
            let colons = colons.map(|mut colon| {
                colon.set_span(line);
                colon
            });
            let branch: Vec<TokenTree> = colons.chain(branch.iter().cloned()).collect();
            self.path(&branch, path.to_vec(), module);
        }
    }
}

/// Whether the tokens begin with `::`.
fn is_path(tokens: &[TokenTree]) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ':');
    matches!(tokens, [first, second, ..] if is_colon(first) && is_colon(second))
}

/// Whether an attribute is `cfg(test)` or `cfg(all(test, ..))`.
fn is_for_tests(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

fn parent(module: &[String]) -> Module {
    module.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}

#[test]
fn paths_are_found_where_they_are_and_not_in_tests() {
    let source = "
        use crate::{a::B, c::{self, D as E}};
        pub(crate) fn f() -> super::g::H { crate::i::j::<u8>() }
        #[cfg(not(test))]
        use crate::k;
        #[cfg(all(test, unix))]
        mod tests { use crate::l; }
        mod inner { use super::m::*; }
        // crate::n
    ";
    let found = scan(source, vec!["here".to_owned(), "file".to_owned()]);
    let shown = |it: &Mention| (it.line, it.from.join("::"), it.path.join("::"), it.name.clone());
    let expected = [
        (2, "here::file", "a::B", Some("B")),
        (2, "here::file", "c", Some("c")),
        (2, "here::file", "c::D", Some("E")),
        (3, "here::file", "here::g::H", Some("H")),
        (3, "here::file", "i::j", None),
        (5, "here::file", "k", Some("k")),
        (8, "here::file::inner", "here::file::m", None),
    ];
    let expected = expected.map(|(line, from, path, name)| {
        (line, from.to_owned(), path.to_owned(), name.map(str::to_owned))
    });
    assert_eq!(found.mentions.iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!(found.tests, [["here", "file", "tests"]]);
}
